import sys
from pathlib import Path
sys.path.insert(0, "workflow")
import make_book
make_book.BIN = Path("bin").resolve()
sys.exit(make_book.main())
