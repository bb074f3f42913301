"""Wrong but tempting answers: per lab and task, code in place of the answer, words of its hint."""

WRONG = {
    "L1": {
        "q1": [
            (
                "ratio = libraries[normal].mean() / libraries[tumor].mean()",
                "on top of your fraction",
            ),
            ("ratio = libraries[tumor].sum() / libraries[normal].sum()", "one typical sample"),
            ("ratio = libraries[tumor].median() / libraries[normal].median()", "ratio of medians"),
        ],
        "q2": [
            ("to_cpm = lambda t: t / t.sum()", "the M of CPM"),
            ("to_cpm = lambda t: t.div(t.sum(axis=1), axis=0) * 1e6", "sum over samples"),
            ("to_cpm = lambda t: t / t.sum(axis=1) * 1e6", "sum over samples"),
            ("to_cpm = lambda t: t / t.sum().mean() * 1e6", "its own library size"),
        ],
        "q3": [
            ("share_normal = share_normal / 10", "one gene on average"),
            ("share_normal, share_tumor = share_tumor, share_normal", "exchanged"),
            ("share_normal, share_tumor = 100 * share_normal, 100 * share_tumor", "in percent"),
        ],
        "q4": [
            (
                "up_tmm = (log_fold_change(cpm / size_factors(counts, 'tmm')) > 0).mean()",
                "scaled the CPM table once more",
            ),
            (
                "factor = size_factors(counts, 'tmm') / counts.sum() * 1e6\n"
                "up_tmm = (log_fold_change(counts / factor) > 0).mean()",
                "depth is still in",
            ),
            ("up_cpm = (log_fold_change(cpm) < 0).mean()", "genes that fall"),
            ("up_cpm = (log_fold_change(counts) > 0).mean()", "raw counts"),
        ],
        "q5": [
            ("suspects = set(r.mean().nsmallest(3).index)", "compare within labels"),
            ("suspects = set(own.index[own > other])", "the good samples"),
            ("suspects = set(own.nsmallest(2).index)", "three tubes were swapped"),
        ],
    }
}
