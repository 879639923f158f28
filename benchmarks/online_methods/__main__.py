"""Online methods on text of this machine, each with the same FLOPs, its probes and references included.

    python -m benchmarks.online_methods [--seeds 5] [--methods natural,odm] [--out FILE] [--json]

Every method trains the same small model on the local corpus until its FLOPs are spent: those of a run of
--tokens that only trains. Evaluations, looks at gradients, reference models and rehearsals are paid for from
them, so that whoever looks trains for fewer steps. The score is the held-out loss of every domain, nats per
token, on text that no method saw: mean and worst over domains, median and deviation over seeds. Differences
from the natural mixture are paired: with the same seed runs begin with the same weights, and the n-th sample
of a domain is the same text. Intervals are of 95 %, by Student's t.

--out keeps every run as a line of JSON; runs that it holds already are not made again.
"""

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.arguments import arguments
from benchmarks.online_methods.keeping import Kept
from benchmarks.online_methods.methods import METHODS
from benchmarks.online_methods.playing import REHEARSED_EVERY, Setup
from benchmarks.online_methods.pool import made
from benchmarks.online_methods.summary import show, summary
from mixwright.demo.plan import PROXY, TARGET
from proxy_training.corpus import LocalSource, build_corpus, default_cache_folder


def main() -> None:
    """Train, score and print."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="runs of each method")
    parser.add_argument("--methods", default=",".join(METHODS), help="names, with commas between")
    parser.add_argument("--tokens", type=int, default=1_000_000, help="of a run that only trains")
    parser.add_argument("--processes", type=int, default=2, help="runs at once, of a thread each")
    parser.add_argument("--out", type=Path, help="file of JSON lines to keep runs in")
    chosen = parser.parse_args()
    names = chosen.methods.split(",")
    unknown = sorted(set(names) - METHODS.keys())
    if unknown:
        parser.error(f"unknown methods {', '.join(unknown)}: choose from {', '.join(METHODS)}")
    corpus = build_corpus(LocalSource(), cache=default_cache_folder())
    setup = Setup(replace(TARGET, tokens=chosen.tokens), replace(PROXY, report_every=REHEARSED_EVERY))
    settings = {"corpus": corpus.id, "target": setup.target.dump(), "rehearsal": setup.rehearsal.dump()}
    kept = Kept(chosen.out, settings)
    # By seed first: what is there after an interruption can be compared.
    wanted = [(name, seed) for seed in range(chosen.seeds) for name in names]
    made(kept, [one for one in wanted if one not in kept.rows], setup, corpus, chosen.processes)
    found = {
        **settings,
        "domains": list(corpus.domains.names),
        "flops": setup.flops(corpus),
        "said": {name: METHODS[name].said for name in names if METHODS[name].said},
        "results": summary([kept.rows[one] for one in sorted(wanted, key=lambda one: names.index(one[0]))]),
    }
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


if __name__ == "__main__":
    main()
