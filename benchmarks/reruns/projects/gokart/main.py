"""What gokart's command line starts."""

import gokart
import pipeline  # noqa: F401 - so that its tasks are known

if __name__ == "__main__":
    gokart.run()
