"""A file's path tells which domains read it."""

import pytest

from proxy_training.corpus.roles import roles


@pytest.mark.parametrize(
    ("origin", "domains"),
    [
        ("stdlib/argparse.py", ["python", "docs"]),
        ("stdlib/test/test_ast.py", ["tests", "docs"]),
        ("site/sympy/core/tests/test_expr.py", ["tests", "docs"]),
        ("stdlib/pydoc_data/topics.py", ["docs"]),
        ("site/torch/include/c10/Device.h", ["cxx"]),
        ("site/numpy/__init__.pyi", ["stubs"]),
        ("site/scipy/_cyutility.pxd", ["cython"]),
        ("site/plotly/package_data/plotly.min.js", ["web"]),
        ("site/torchgen/native_functions.yaml", ["config"]),
        ("site/sklearn/datasets/data/digits.csv.gz", ["tables"]),
        ("site/scipy/spatial/tests/data/iris.txt", ["tables"]),
        ("site/numpy/API_CHANGES.txt", ["docs"]),
        ("site/torch/CMakeLists.txt", ["config"]),
        ("site/numpy-2.0.dist-info/METADATA", ["docs"]),
        ("site/numpy-2.0.dist-info/licenses/LICENSE.txt", ["licences"]),
        ("site/filelock-4.dist-info/sboms/filelock.cdx.json", ["config"]),
        ("site/numpy-2.0.dist-info/RECORD", []),
        ("site/mypackage-1.dist-info/direct_url.json", []),
        ("site/scipy/license.py", ["python", "docs"]),
        ("site/numpy/core.so", []),
    ],
)
def test_a_file_goes_to_its_domains(origin: str, domains: list[str]) -> None:
    assert [role.domain for role in roles(origin)] == domains


def test_a_projects_page_starts_after_its_headers() -> None:
    (role,) = roles("site/a-1.dist-info/METADATA")
    assert list(role.extract("Name: a\nVersion: 1\n\n# The page\n\nText")) == [("", "# The page\n\nText")]
