"""The ``system`` block of a session record, as big as a real one.

lstosa writes the machine, the interpreter, its packages and some variables
before every activity: about 19 kB, most of a log. The packages are those of a
real session; every package of a virtual environment has the same path.
"""

from collections.abc import Sequence
from functools import cache

__all__ = ["system_block"]

_ENVIRONMENT_HOME = "/fefs/aswg/venv-lstosa"
_SITE_PACKAGES = f"{_ENVIRONMENT_HOME}/lib/python3.11/site-packages"
_PACKAGES = """
annotated-types=0.8.0 anyio=4.16.0 argon2-cffi=25.1.0 argon2-cffi-bindings=26.2.0
arrow=1.4.0 astropy=6.1.7 astropy-iers-data=0.2026.11.2.0.34.55 asttokens=3.0.2
async-lru=2.4.0 attrs=26.1.0 babel=2.18.0 beautifulsoup4=4.15.0 bleach=6.4.0
blosc2=4.14.1 bokeh=3.9.2 certifi=2026.10.18 cffi=2.1.1 charset-normalizer=3.5.2
click=8.5.1 comm=0.2.3 contourpy=1.3.3 corsikaio=0.5.0 ctapipe=0.25.1
ctapipe-io-lst=0.29.2 ctaplot=0.6.6 cycler=0.12.1 debugpy=1.8.22 defusedxml=0.7.1
dnspython=2.9.2 docutils=0.23 eventio=1.16.1 executing=2.3.0 fastjsonschema=2.22.3
fonttools=4.68.0 fqdn=1.6.0 freezegun=1.5.5 gammapy=1.3 h11=0.16.0 h2=4.4.1 h5py=3.16.0
hpack=4.2.0 httpcore=1.0.9 httpx=0.28.1 hyperframe=6.1.0 idna=3.20 iminuit=2.33.0
iniconfig=2.3.1 ipykernel=7.4.0 ipython=9.18.1 ipython-pygments-lexers=1.1.1
ipywidgets=8.1.9 isoduration=20.11.0 jedi=0.20.1 jinja2=3.1.6 joblib=1.4.2 json5=0.17.3
jsonpointer=3.12 jsonschema=4.26.0 jsonschema-specifications=2025.9.1 jupyter=1.1.1
jupyter-builder=1.3.0 jupyter-client=8.10.0 jupyter-console=6.6.3 jupyter-core=5.9.1
jupyter-events=0.12.1 jupyter-lsp=2.3.1 jupyter-server=2.21.1
jupyter-server-terminals=0.5.4 jupyterlab=4.6.6 jupyterlab-pygments=0.3.0
jupyterlab-server=2.28.1 jupyterlab-widgets=3.0.17 kiwisolver=1.5.1 lark=1.3.1
llvmlite=0.50.0 lstchain=0.12.3 lstosa=0.11.10 markdown-it-py=4.3.0 markupsafe=3.0.4
matplotlib=3.10.9 matplotlib-inline=0.2.2 mdurl=0.1.2 mistune=3.4.0 msgpack=1.2.4
narwhals=2.29.0 nbclient=0.11.0 nbconvert=7.17.2 nbformat=5.11.1 ndindex=1.10.1
nest-asyncio2=1.7.4 networkx=3.6.1 notebook=7.6.5 notebook-shim=0.2.4 numba=0.68.1
numexpr=2.14.2 numpy=1.26.4 overrides=7.7.0 packaging=26.3 pandas=2.3.3
pandocfilters=1.5.1 parso=0.8.7 pexpect=4.9.0 pillow=13.0.0 pip=23.2.1
platformdirs=4.14.7 pluggy=1.7.0 prometheus-client=0.26.0 prompt-toolkit=3.0.53
protobuf=7.36.2 protozfits=2.13.1 prov=3.2.3 psutil=7.2.2 ptyprocess=0.7.0
pure-eval=0.2.4 py-cpuinfo=9.0.0 pycparser=3.12 pydantic=2.14.3 pydantic-core=2.50.4
pydot=4.0.1 pydotplus=2.0.2 pyerfa=2.0.1.5 pygments=2.21.0 pyirf=0.12.0 pymongo=4.20.0
pyparsing=3.3.3 pytest=9.2.0 python-dateutil=4.0.0 python-json-logger=4.2.0 pytz=2026.6
pyyaml=6.0.3 pyzmq=27.3.0 referencing=0.37.0 regions=0.11 requests=2.34.2
rfc3339-validator=0.1.4 rfc3986-validator=0.1.1 rfc3987-syntax=1.1.0 rich=15.0.0
rpds-py=2026.9.1 scikit-learn=1.9.1 scipy=1.17.1 seaborn=0.13.2 send2trash=2.2.0
setuptools=65.5.0 six=1.17.0 soupsieve=4.1.2 stack-data=0.6.3 tables=3.11.1
tenacity=9.2.1 terminado=0.18.1 threadpoolctl=3.8.0 tinycss2=1.5.1 toml=0.10.2
tornado=6.6.1 tqdm=4.70.1 traitlets=5.16.1 typing-extensions=4.16.0
typing-inspection=0.4.5 tzdata=2026.6 uri-template=1.3.0 urllib3=2.8.0 wcwidth=0.9.4
webcolors=25.10.0 webencodings=0.6.1 websocket-client=1.9.2 widgetsnbextension=4.0.16
xyzservices=2026.9.1 zstandard=0.25.0
"""
_PLATFORM = {
    "architecture_bits": "64bit",
    "architecture_linkage": "ELF",
    "machine": "x86_64",
    "processor": "x86_64",
    "node": "cp15",
    "version": "#1 SMP Thu Nov 8 23:39:32 UTC 2018",
    "system": "Linux",
    "release": "3.10.0-957.el7.x86_64",
    "libcver": "('glibc', '2.36')",
    "num_cpus": 32,
    "boot_time": "2020-01-07T09:41:03",
}
_VARIABLES = {
    "CONDA_DEFAULT_ENV": None,
    "CONDA_PREFIX": None,
    "CONDA_PYTHON_EXE": None,
    "CONDA_EXE": None,
    "CONDA_PROMPT_MODIFIER": None,
    "CONDA_SHLVL": None,
    "PATH": f"{_ENVIRONMENT_HOME}/bin:/usr/local/bin:/usr/bin:/usr/sbin",
    "LD_LIBRARY_PATH": None,
    "DYLD_LIBRARY_PATH": None,
    "USER": "lstanalyzer",
    "HOME": "/fefs/home/lstanalyzer",
    "SHELL": "/bin/bash",
}


def system_block(arguments: Sequence[str], *, start_time: str) -> dict[str, object]:
    """Describe the process that runs a script.

    Args:
        arguments: Words of the command line, the script first.
        start_time: Time of the description, as ISO text. lstosa calls it UTC,
            but it is local time.

    Example:
        >>> block = system_block(["datasequence"], start_time="2020-01-18T08:00:00")
        >>> list(block)[:3]
        ['executable', 'platform', 'python']
    """
    return {
        "executable": f"{_ENVIRONMENT_HOME}/bin/python",
        "platform": _PLATFORM,
        "python": _python(),
        "environment": _VARIABLES,
        "arguments": list(arguments),
        "start_time_utc": start_time,
    }


@cache
def _python() -> dict[str, object]:
    names_and_versions = (word.split("=") for word in _PACKAGES.split())
    return {
        "version_string": "3.11.7 (main, May  9 2026, 07:35:25) [GCC 12.2.0]",
        "version": "3.11.7",
        "compiler": "GCC 12.2.0",
        "implementation": "CPython",
        "packages": [
            {"name": name, "version": version, "path": _SITE_PACKAGES}
            for name, version in names_and_versions
        ],
    }
