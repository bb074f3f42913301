"""DEGnext: the genes of a tumor/normal RNA-seq cohort as up-regulated, down-regulated or neutral.

The public names stand in ``__init__.pyi``; each is loaded when it is first used, so that
``import degnext`` is quick. The rooms behind them may change.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
