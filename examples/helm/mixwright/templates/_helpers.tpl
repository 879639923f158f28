{{- define "mixwright.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "mixwright.selector" -}}
app.kubernetes.io/name: mixwright
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mixwright.labels" -}}
{{ include "mixwright.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "mixwright.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What every pod has: no account of the cluster, and none of the node. */}}
{{- define "mixwright.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: data
    emptyDir: {sizeLimit: 64Mi}
  - name: tmp
    emptyDir: {sizeLimit: 1Gi}
  - name: admin-key
    secret:
      secretName: {{ required "existingSecret: name a secret with database-url and admin-key" .Values.existingSecret }}
      items: [{key: admin-key, path: admin-key}]
      defaultMode: 0440
{{- end -}}

{{- define "mixwright.container" -}}
image: {{ include "mixwright.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
  - {name: admin-key, mountPath: /run/secrets/mixwright, readOnly: true}
{{- end -}}

{{- define "mixwright.environment" -}}
- name: MIXWRIGHT_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.existingSecret }}, key: database-url}
- {name: MIXWRIGHT_ADMIN_KEY_FILE, value: /run/secrets/mixwright/admin-key}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{/* Host headers that are answered: from outside, from the cluster, and from whoever calls a pod by its address. */}}
{{- define "mixwright.hosts" -}}
{{- $service := printf "%s-api" (include "mixwright.name" .) -}}
{{- $inside := list $service (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace) -}}
{{- $outside := ternary (append .Values.hosts .Values.ingress.host) .Values.hosts .Values.ingress.enabled -}}
{{- concat $outside $inside (list "localhost" "$(POD_IP)" "[$(POD_IP)]") | uniq | toJson -}}
{{- end -}}
