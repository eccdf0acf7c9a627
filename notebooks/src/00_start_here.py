# %% [markdown]
# # 00 · Start here
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/00_start_here.ipynb)
#
# **After this notebook you can** say what the kit needs, check that this machine has it, and choose a profile.
#
# **Of the paper:** Section I; no equations, figures or tables.
#
# **Time:** quick 5 s · laptop 5 s · paper 5 s (2 CPU cores)

# %% [markdown]
# The next cell does nothing where the kit is installed. On Colab it fetches and installs it.

# %% tags=["bootstrap"]
try:
    import mngnas_lib
except ModuleNotFoundError:
    import os
    import subprocess
    import sys

    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError("the kit is not installed in this Python: README.md says how") from None
    if not os.path.isdir("mngnas-kit"):
        subprocess.run(
            ["git", "clone", "--depth=1", "https://github.com/mngnas-kit/mngnas-kit", "mngnas-kit"], check=True
        )
    os.chdir("mngnas-kit")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-e", "."], check=True)
    sys.path.insert(0, os.getcwd())
    import mngnas_lib

# %% [markdown]
# ## The profile
#
# A profile sets sizes, never the method: `quick` gives a first look in minutes on two cores, `laptop` is what the
# committed notebooks show, and `paper` has the paper's settings and wants a GPU. The environment variable
# `MNGNAS_PROFILE` chooses; without it, `quick` is taken.

# %%
import os

profile = os.environ.get("MNGNAS_PROFILE", "quick")
assert profile in ("quick", "laptop", "paper"), f"MNGNAS_PROFILE={profile} is not a profile"
print(f"kit {mngnas_lib.__version__}, profile {profile}")
