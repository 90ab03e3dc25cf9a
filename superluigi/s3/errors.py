"""What the store's refusals mean: which error of `superluigi.errors`, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from superluigi.errors import (
    AccessDenied,
    BucketMissing,
    ObjectChanged,
    StoreUnavailable,
    SuperLuigiError,
    TargetError,
    TargetMissing,
)
from superluigi.s3.uri import format_uri

__all__ = [
    "COPY",
    "DELETE",
    "LIST",
    "LIST_VERSIONS",
    "LOOK",
    "READ",
    "WRITE",
    "Action",
    "error_code",
    "is_denied",
    "is_missing",
    "is_precondition",
    "s3_errors",
]


@dataclass(frozen=True, slots=True)
class Action:
    """What was being done, for messages."""

    text: str
    """Such as "Reading"."""
    right: str
    """The right that S3 asks for."""


LOOK = Action("Looking at", "s3:GetObject")
LIST = Action("Listing", "s3:ListBucket")
LIST_VERSIONS = Action("Listing the versions below", "s3:ListBucketVersions")
READ = Action("Reading", "s3:GetObject")
WRITE = Action("Writing", "s3:PutObject")
DELETE = Action("Deleting", "s3:DeleteObject")
COPY = Action("Copying to", "s3:PutObject")

_MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchVersion"}
_PRECONDITION = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_BAD_CREDENTIALS = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_WRONG_CLOCK = {"RequestTimeTooSkewed", "RequestInTheFuture"}
_DENIED = {"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden"}
_ELSEWHERE = {
    "301",
    "307",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
}
_OVERLOADED = {
    "429",
    "500",
    "502",
    "503",
    "504",
    "InternalError",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}


@contextmanager
def s3_errors(action: Action, bucket: str, key: str = "") -> Iterator[None]:
    """Turn what botocore raises in the block into our own errors.

    Raises:
        AccessDenied, BucketMissing, TargetMissing, ObjectChanged, StoreUnavailable: as the store said.
        TargetError: anything else that the store refused.
    """
    try:
        yield
    except SuperLuigiError:
        raise
    except Exception as error:
        translated = _translated(error, action, bucket, key)
        if translated is None:
            raise
        raise translated from error


def error_code(error: BaseException) -> str:
    """S3's code, or the HTTP status where the answer has no body; "" for other errors."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return ""
    return str(response.get("Error", {}).get("Code") or "")


def is_denied(error: BaseException) -> bool:
    """Whether the store refused for want of a right."""
    return error_code(error) in _DENIED


def is_missing(error: BaseException) -> bool:
    """Whether the store said that there is no such object (a 403 never says so)."""
    return error_code(error) in _MISSING or (_status(error) == 405 and _is_delete_marker(error))


def is_precondition(error: BaseException) -> bool:
    """Whether the store refused because of `If-Match` or `If-None-Match`."""
    return error_code(error) in _PRECONDITION


def _translated(error: Exception, action: Action, bucket: str, key: str) -> SuperLuigiError | None:
    from botocore.exceptions import BotoCoreError, ClientError

    uri = format_uri(bucket, key)
    if isinstance(error, ClientError):
        return _from_answer(error, action, bucket, key, uri)
    if isinstance(error, RecursionError) or isinstance(
        getattr(error, "kwargs", {}).get("error"), RecursionError
    ):
        return _redirected(action, uri)
    if isinstance(error, BotoCoreError):
        return _without_answer(error, action, uri)
    return None


def _redirected(action: Action, uri: str) -> TargetError:
    """botocore follows a redirect without an address, and asks again, until Python gives up."""
    message = (
        f"{action.text} {uri!r} failed: the endpoint redirects each request (301) and does not say where "
        "to. Name the address itself (https, say) as endpoint_url or AWS_ENDPOINT_URL_S3, or set the region."
    )
    return TargetError(message, target=uri)


def _from_answer(error: Any, action: Action, bucket: str, key: str, uri: str) -> SuperLuigiError:
    code, said = error_code(error), _said(error)
    doing = f"{action.text} {uri!r}"
    if code == "NoSuchBucket":
        message = (
            f"{doing} failed: there is no bucket {bucket!r}. "
            "Create it, or correct the bucket's name, the profile or the endpoint."
        )
        return BucketMissing(message, target=uri)
    if code in _EXPIRED or code in _BAD_CREDENTIALS or code in _WRONG_CLOCK:
        return AccessDenied(_credentials_refused(doing, code, said), target=uri)
    if is_denied(error):
        return AccessDenied(_denied(action, uri, bucket, key, said), target=uri)
    if is_precondition(error):
        message = (
            f"{doing} was refused ({said}): another version stands there than the one expected. "
            "Something else wrote it meanwhile; look again, then repeat."
        )
        return ObjectChanged(message, target=uri)
    if is_missing(error) and action is not WRITE:
        message = f"{uri!r} does not exist. Run the task that makes it, or correct the name."
        return TargetMissing(message, target=uri)
    return _from_rarer_answer(error, code, doing, said, uri)


def _from_rarer_answer(error: Any, code: str, doing: str, said: str, uri: str) -> SuperLuigiError:
    if code in _ELSEWHERE:
        region = error.response.get("Error", {}).get("Region") or _header(
            error, "x-amz-bucket-region"
        )
        where = f" The bucket is in {region!r}." if region else ""
        message = (
            f"{doing} failed: the bucket is in another region ({said}).{where} "
            "Set the region on the target, in the profile or as AWS_REGION."
        )
        return TargetError(message, target=uri)
    if code in _OVERLOADED or _status(error) >= 500:
        message = f"{doing} failed: the store cannot serve now ({said}). Try again later."
        return StoreUnavailable(message, target=uri)
    if code == "InvalidObjectState":
        message = f"{doing} failed: the object is archived ({said}). Restore it first."
        return TargetError(message, target=uri)
    if code == "400":
        message = (
            f"{doing} was refused without a reason (400). Usual causes: an expired session token, "
            "or an object that is encrypted with a customer's key. Renew the credentials first."
        )
        return TargetError(message, target=uri)
    return TargetError(f"{doing} failed: {said}.", target=uri)


def _without_answer(error: Exception, action: Action, uri: str) -> SuperLuigiError:
    from botocore import exceptions

    doing = f"{action.text} {uri!r}"
    no_credentials = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.TokenRetrievalError,
        exceptions.NoAuthTokenError,
        exceptions.SSOError,
        getattr(exceptions, "LoginError", exceptions.SSOError),
        exceptions.MetadataRetrievalError,
        exceptions.RefreshWithMFAUnsupportedError,
    )
    if isinstance(error, no_credentials):
        message = (
            f"{doing} failed: no usable AWS credentials ({error}). Set AWS_PROFILE or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in again (`aws sso login`), "
            "or give the target a profile."
        )
        return AccessDenied(message, target=uri)
    no_connection = (
        exceptions.HTTPClientError,
        exceptions.ConnectionError,
        exceptions.IncompleteReadError,
    )
    if isinstance(error, no_connection):
        message = (
            f"{doing} failed: no connection to the store ({error}). "
            "Check the network and the endpoint (endpoint_url, AWS_ENDPOINT_URL_S3)."
        )
        return StoreUnavailable(message, target=uri)
    return TargetError(f"{doing} failed: {error}", target=uri)


def _credentials_refused(doing: str, code: str, said: str) -> str:
    if code in _EXPIRED:
        return (
            f"{doing} was refused: the credentials have expired ({said}). "
            "Log in again (`aws sso login`), or renew the session token."
        )
    if code in _WRONG_CLOCK:
        return (
            f"{doing} was refused: this machine's clock is wrong ({said}). "
            "Set it, by NTP for example, and try again."
        )
    return (
        f"{doing} was refused: the store does not accept the credentials ({said}). "
        "Check AWS_PROFILE, the access key and the endpoint."
    )


def _denied(action: Action, uri: str, bucket: str, key: str, said: str) -> str:
    refused = f"{action.text} {uri!r} was refused ({said})."
    if action in (LOOK, READ) and key:
        return (
            f"{refused} Either these credentials lack {action.right} on it, or it does not exist: "
            f"without s3:ListBucket on {format_uri(bucket)!r} the store does not say which. "
            "Grant both rights, or use another profile."
        )
    return f"{refused} These credentials lack {action.right}. Grant it, or use another profile."


def _said(error: Any) -> str:
    """The store's own words, on one line."""
    details = error.response.get("Error", {})
    code, message = str(details.get("Code") or ""), str(details.get("Message") or "")
    words = " ".join(message.split())[:300]
    return ascii(f"{code}: {words}" if words and words != code else code)[1:-1]


def _status(error: Any) -> int:
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _header(error: Any, name: str) -> str | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    value = headers.get(name)
    return None if value is None else str(value)


def _is_delete_marker(error: Any) -> bool:
    return _header(error, "x-amz-delete-marker") == "true"
