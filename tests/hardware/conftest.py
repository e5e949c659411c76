"""`make test` checks the lab itself; what lies in `inside` needs the lab's own kernel."""

collect_ignore = ["inside"]
