"""The sandbox's bank: where 3-D Secure asks the customer. A real provider has a page of its own."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from modules.storefront.requires import (
    ChallengeId,
    ChallengeNotFound,
    ChallengeState,
    payments,
)
from modules.storefront.views.page import answers, error_page, page, see_other
from modules.storefront.views.visitor import Visitor


@answers("GET", "POST")
def show(request: HttpRequest, challenge_id: str) -> HttpResponse:
    """Ask; with POST, take the answer and send the customer back to the shop."""
    try:
        identifier = ChallengeId(UUID(challenge_id))
        challenge = payments.challenge_details(challenge_id=identifier)
    except (ValueError, ChallengeNotFound):
        return error_page(
            request,
            status=ChallengeNotFound.status,
            sentence="The bank knows of no such payment. Begin again at the checkout.",
        )
    if challenge.state is ChallengeState.OPEN:
        if request.method != "POST":
            context = {"challenge": challenge}
            return page(request, "bank.html", context, visitor=Visitor.of(request))
        payments.answer_challenge(challenge_id=identifier, passed="approve" in request.POST)
    return see_other("storefront:authenticated")
