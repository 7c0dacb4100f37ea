"""Coupons that can be used."""

import re
from uuid import UUID

from modules.pricing import models
from modules.pricing.interface import Coupon, CouponRefused
from monolift.kernel import Money, clock

_CODE = re.compile(r"[A-Z0-9-]{1,40}")


def plain(code: str) -> str:
    """A code as it is stored: letters count the same in either case."""
    return code.strip().upper()


def is_code(text: str) -> bool:
    """Whether a coupon could be called that."""
    return bool(_CODE.fullmatch(text))


def find(*, code: str) -> models.Coupon:
    """The coupon of a code. Raises CouponRefused."""
    known = plain(code)
    row = models.Coupon.objects.filter(pk=known).first() if is_code(known) else None
    if row is None:
        raise CouponRefused(coupon=known[:40], problem="we do not know it.")
    return row


def usable(*, code: str, reference: UUID | None = None) -> Coupon:
    """A coupon that can be used now; CouponRefused says why it cannot.

    One that was used for `reference` already can be used for it: the question was asked before.
    """
    row = find(code=code)
    problem = problem_of(row)
    used = reference is not None and problem and row.redemptions.filter(pk=reference).exists()
    if problem and not used:
        raise CouponRefused(coupon=row.code, problem=problem)
    return Coupon(
        code=row.code,
        percent=row.percent,
        amount=Money(row.amount, row.currency) if row.currency else None,
        minimum=Money(row.minimum, row.minimum_currency) if row.minimum_currency else None,
        limit=row.limit,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        redeemed=row.redeemed,
    )


def problem_of(row: models.Coupon) -> str:
    """Why a coupon cannot be used at the moment; empty when it can."""
    moment = clock.now()
    if row.starts_at is not None and moment < row.starts_at:
        return "it is not valid yet."
    if row.ends_at is not None and moment >= row.ends_at:
        return "it has expired."
    if row.limit is not None and row.redeemed >= row.limit:
        return "it is used up."
    return ""
