"""What a service's metrics say."""

from prometheus_client.parser import text_string_to_metric_families

from tests.support.servers import Service


def samples(service: Service) -> dict[tuple[str, ...], float]:
    """Values by the name of a metric, without its prefix, and the values of its labels."""
    answer = service.call("GET", "/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (
            sample.name.removeprefix("mixwright_"),
            *(sample.labels[name] for name in sorted(sample.labels)),
        ): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
