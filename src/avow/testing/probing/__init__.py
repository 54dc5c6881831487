"""The probe: a policy's own test suite for any site (`avow probe`).

    run                 probes a site from end to end: `probe(folder, site=…)` gives a `Report`
    finding             Hole, Report: what got through, and what was tried
    interpreter         what a policy means, apart from the engine: the oracle
    attempts            flows beside the rules of a policy
    standin, scratch    a site made of the policy alone, on a temporary installation with local peers
    bench               what the families below have in their hands
    decisions, keeping, showing, entrance, guessing, saying, logs, leaving, mailing, starting, resting
                        the families of probes
    own, own_pages      the service's own records, pages, forms and mails

Import what you need from its own module; this one loads nothing.
"""
