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
    },
    "L2": {
        "q1": [
            ("n_called = (table['p_value'] < 0.01).sum()", "cut the p-values"),
            ("n_called = (call(table) == 'neutral').sum()", "number of neutral genes"),
            ("n_called = (call(table, 0.05) != 'neutral').sum()", "what a cut of 0.05 gives"),
        ],
        "q2": [
            ("large = (called['log_fc'] > 1).mean()", "Only genes that double"),
            ("large = (called['log_fc'].abs() > 1).sum() / len(table)", "Share of what?"),
            ("large = (called['log_fc'].abs() > 1).sum()", "a number of genes"),
        ],
        "q3": [
            ("n_p = (table['p_value'] < 0.05).sum()", "tumor against normal"),
            ("n_p, n_fdr = n_fdr, n_p", "exchanged"),
            ("n_p = (nothing['p_value'] < 0.01).sum()", "a cut of 0.01"),
        ],
        "q4": [
            ("again = (a == b).mean()", "agreement on all genes"),
            ("again = (a == b)[(a != 'neutral') & (b != 'neutral')].mean()", "none turns round"),
            (
                "either = (a != 'neutral') | (b != 'neutral')\n"
                "again = ((a == b) & (a != 'neutral')).sum() / either.sum()",
                "either half calls",
            ),
        ],
        "q5": [
            (
                "found = []\n"
                "for k in (3, 5, 12):\n"
                "    found += [(call(test(normals[:k] + tumors[:k])) == full).mean()]",
                "genes that are neutral in the full cohort",
            ),
            ("found = [share * 994 for share in found]", "numbers of genes"),
            (
                "found = []\n"
                "for k in (3, 5, 12):\n"
                "    few = call(test(normals[:k] + tumors[:k]))\n"
                "    found += [(few == full)[few != 'neutral'].mean()]",
                "how many are right",
            ),
        ],
    },
    "L3": {
        "q1": [
            ("old = shape\nshape = lambda n, old=old: old(n)[::-1]", "Height comes first"),
            (
                "def shape(n):\n"
                "    width = min(d for d in range(2, n + 1) if n % d == 0)\n"
                "    return n // width, width",
                "smallest divisor",
            ),
            (
                "def shape(n):\n"
                "    width = max(d for d in range(1, n) if n % d == 0)\n"
                "    return n // width, width",
                "above the square root",
            ),
            ("shape = lambda n: (n // int(n**0.5), int(n**0.5))", "the square root itself"),
        ],
        "q2": [
            ("z = x - x.mean(axis=1, keepdims=True)\nz = z / z.std()", "that is a leak"),
            (
                "z = x - x.mean(axis=0, keepdims=True)\nz = z / z[train].std()",
                "mean of each sample",
            ),
            (
                "z = x - x.mean(axis=1, keepdims=True)\nz = z / z.std(axis=1, keepdims=True)",
                "its own standard deviation",
            ),
        ],
        "q3": [
            (
                "make_net = lambda nn=nn: nn.Sequential(nn.Conv2d(1, 8, 3, padding=1),\n"
                "    nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),\n"
                "    nn.Linear(16 * 85, 1))",
                "works for 17 × 5 only",
            ),
            (
                "old = make_net\n"
                "make_net = lambda old=old, nn=nn: nn.Sequential(old(), nn.Sigmoid())",
                "between 0 and 1",
            ),
            (
                "make_net = lambda nn=nn: nn.Sequential(nn.Conv2d(1, 8, 3, padding=1),\n"
                "    nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),\n"
                "    nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(16, 2))",
                "Two outputs",
            ),
            (
                "make_net = lambda nn=nn: nn.Sequential(nn.Conv2d(1, 8, 3, padding=1),\n"
                "    nn.Conv2d(8, 16, 3, padding=1), nn.AdaptiveMaxPool2d(1),\n"
                "    nn.Flatten(), nn.Linear(16, 1))",
                "There is no ReLU",
            ),
        ],
        "q4": [
            (
                "loss_of = nn.functional.binary_cross_entropy_with_logits\n"
                "def step(net, pictures, answers, optimiser):\n"
                "    loss_of(net(pictures), answers).backward()\n"
                "    optimiser.step()",
                "Gradients pile up",
            ),
            (
                "loss_of = nn.functional.binary_cross_entropy_with_logits\n"
                "def step(net, pictures, answers, optimiser):\n"
                "    optimiser.zero_grad()\n"
                "    loss_of(net(pictures), answers).backward()",
                "do not move",
            ),
            (
                "loss_of = nn.functional.binary_cross_entropy_with_logits\n"
                "def step(net, pictures, answers, optimiser):\n"
                "    optimiser.zero_grad()\n"
                "    (-loss_of(net(pictures), answers)).backward()\n"
                "    optimiser.step()",
                "uphill",
            ),
            (
                "loss_of = nn.functional.binary_cross_entropy_with_logits\n"
                "def step(net, pictures, answers, optimiser):\n"
                "    optimiser.zero_grad()\n"
                "    loss_of(net(pictures).sigmoid(), answers).backward()\n"
                "    optimiser.step()",
                "squeezed before the loss",
            ),
        ],
        "q5": [
            (
                "accuracy = lambda o, a: ((o > 0.5) == (a > 0)).float().mean().item()",
                "You cut at 0.5",
            ),
            (
                "accuracy = lambda o, a: ((o > 0) == (a > 0).ravel()).float().mean().item()",
                "compare every gene with every other",
            ),
            ("rule_score = (~rule == y.astype(bool))[test].mean()", "which columns are the tumor"),
        ],
    },
    "L4": {
        "q1": [
            ("lazy = 1 / 3", "equally frequent"),
            ("lazy = (labels == 'neutral').mean()", "all 1,800 genes"),
            ("lazy = (labels[test] == 'neutral').sum()", "a number of genes"),
        ],
        "q2": [
            ("mcc = lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn)", "the accuracy"),
            (
                "mcc = lambda tp, fp, fn, tn: (tp * tn - fp * fn) / (\n"
                "    (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5",
                "the root is 0",
            ),
            (
                "mcc = lambda tp, fp, fn, tn: (tp * tn - fp * fn) / max(1,\n"
                "    (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))",
                "root of the product is missing",
            ),
            ("mcc = lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn)", "another score"),
        ],
        "q3": [
            ("rule_score = max(right)", "genes that chose the cut"),
            ("rule_score = (rule(change[test], 0) == labels[test]).mean()", "never says neutral"),
            ("best = np.argmax(right)", "the place of the best cut"),
        ],
        "q4": [
            ("tree_stats = tree_rows = 1.0", "by heart"),
            ("tree_stats, tree_rows = tree_rows, tree_stats", "exchanged"),
            (
                "tree = DecisionTreeClassifier(random_state=0).fit(x[train], labels[train])\n"
                "tree_rows = (tree.predict(x) == labels).mean()",
                "scored all genes",
            ),
        ],
        "q5": [
            ("low, high = -high, -low", "taken off which"),
            ("low, high = np.quantile(gain[drawn].mean(axis=1), [0.05, 0.95])", "interval of 90 %"),
            (
                "low, high = np.quantile(forest_right[drawn].mean(axis=1), [0.025, 0.975])",
                "the forest's own score",
            ),
        ],
    },
    "L5": {
        "q1": [
            (
                "features = lambda t, m, np=np: np.log2(\n"
                "    np.c_[t.loc[:, ~m].mean(axis=1), t.loc[:, m].mean(axis=1)] + 1)",
                "log of the mean",
            ),
            ("old = features\nfeatures = lambda t, m, old=old: old(t, m)[:, ::-1]", "exchanged"),
            (
                "old = features\nfeatures = lambda t, m, old=old, np=np: old(t, m) * np.log(2)",
                "natural logarithm",
            ),
        ],
        "q2": [
            ("transferred = model.score(inputs(kich), ~kich['up'])", "Every gene is wrong"),
            ("transferred = 100 * model.score(inputs(kich), kich['up'])", "between 0 and 1"),
            (
                "model = LogisticRegression().fit(inputs(kich), kich['up'])\n"
                "transferred = model.score(inputs(kich), kich['up'])",
                "no transfer",
            ),
        ],
        "q3": [
            (
                "many = scale_group(counts.to_numpy(), tumor, 4, np.random.default_rng(0))\n"
                "many = pd.DataFrame(many, counts.index, counts.columns)\n"
                "broken = model.score(inputs(kich | {'counts': many}), kich['up'])",
                "ratio of 4",
            ),
            (
                "half = scale_group(counts.to_numpy(), tumor, 0.5, np.random.default_rng(0))\n"
                "half = pd.DataFrame(half, counts.index, counts.columns)\n"
                "broken = model.score(inputs(kich | {'counts': half}), kich['up'])",
                "half of the reads",
            ),
            ("broken = model.score(inputs(kich), kich['up'])", "Nothing broke"),
        ],
        "q4": [
            ("repaired = model.score(inputs(to_cpm(shallow)), shallow['up'])", "Very near"),
            ("repaired = model_cpm.score(inputs(shallow), shallow['up'])", "tested on raw ones"),
            ("repaired = model.score(inputs(shallow), shallow['up'])", "Nothing changed"),
        ],
        "q5": [
            ("chol_cpm = model_cpm.score(inputs(chol), chol['up'])", "raw counts"),
            ("chol_cpm, chol_tmm = chol_tmm, chol_cpm", "exchanged"),
            (
                "again = to_cpm(chol | {'counts': by_tmm})\n"
                "chol_tmm = model_cpm.score(inputs(again), chol['up'])",
                "TMM changed nothing",
            ),
        ],
    },
    "L6": {
        "q1": [
            ("floor = cross_entropy(perfect, torch.tensor([0])).item()", "applies softmax twice"),
            ("floor = np.exp(-floor)", "e / (e + 2)"),
            ("floor = released_loss(0 * perfect, torch.tensor([0])).item()", "knows nothing"),
            ("floor = floor / np.log(2)", "in bits"),
        ],
        "q2": [
            ("released, proper = proper, released", "exchanged"),
            ("proper = np.array([-1.0, 2, 0.5])", "the outputs themselves"),
            (
                "proper = torch.softmax(torch.tensor([-1.0, 2, 0.5]), 0).numpy()",
                "shares of a softmax",
            ),
        ],
        "q3": [
            ("batched = batch_mean(answers[:192], said[:192], 64)", "left out the last batch"),
            ("batched = (answers == said).mean()", "the accuracy"),
            ("batched = matthews_corrcoef(answers[192:], said[192:])", "last batch only"),
        ],
        "q4": [
            ("probability = 0.5", "Put it into the formula"),
            ("probability = 1 / (1 + np.exp(0.5))", "the sign in the exponent"),
            ("cut = 0.5", "The script's cut"),
        ],
        "q5": [
            ("factor = (position / printed).median()", "the other way round"),
            ("factor = (printed / position).mean()", "the mean of the ratios"),
            ("factor = (printed - position).median()", "no single shift"),
            ("true_position = lambda p: 2 * p", "The way back"),
        ],
    },
}
