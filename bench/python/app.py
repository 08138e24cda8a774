"""FastAPI with Pydantic, PyJWT and SQLAlchemy: the messages that are measured, as docs/api.md has them.

Environment: LIVENESS_JWT_SECRET, DATABASE_URL (a path, or postgres://…).
"""

import base64
import binascii
import json
import os
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Annotated, Generic, TypeVar

import jwt
from anyio import to_thread
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel, to_pascal
from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, contains_eager, deferred, mapped_column, relationship, sessionmaker, undefer

SECRET = os.environ["LIVENESS_JWT_SECRET"]
URL = os.environ["DATABASE_URL"]
BODY_LIMIT = 8 << 20

if URL.startswith("postgres"):
    engine = create_engine("postgresql+psycopg://" + URL.split("://", 1)[1], pool_size=16, max_overflow=8)
else:
    engine = create_engine(f"sqlite:///{URL}", pool_size=20, max_overflow=20, connect_args={"timeout": 5})

    @event.listens_for(engine, "connect")
    def set_pragmas(conn, _record):
        conn.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")


# The tables.

NewSession = sessionmaker(engine, expire_on_commit=False)
Id = BigInteger().with_variant(Integer, "sqlite")


class Table(DeclarativeBase):
    pass


class User(Table):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    pre_registration_id: Mapped[int | None] = mapped_column(Id)


class Check(Table):
    __tablename__ = "liveness_checks"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id"))
    user: Mapped[User] = relationship()
    session_id: Mapped[str]
    is_successful: Mapped[bool]
    verification_result: Mapped[bool | None]
    session_duration: Mapped[int | None]
    lighting_value: Mapped[float | None]
    challenge_count: Mapped[int | None]
    completed_challenges: Mapped[str | None]
    challenges: Mapped[str | None]
    final_verification_result: Mapped[bool | None]
    final_session_duration: Mapped[int | None]
    final_lighting_value: Mapped[float | None]
    image_media_type: Mapped[str | None]
    image_path: Mapped[str | None]
    completed_at: Mapped[str | None]
    created_at: Mapped[str]
    device_info: Mapped[str | None]
    client_ip: Mapped[str | None]
    image_bytes: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))


# What is sent.


class Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


Challenges = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=100)]


class Capture(Body):
    verification_result: bool | None = None
    session_duration: int | None = Field(None, ge=0, lt=2**31)
    lighting_value: float | None = Field(None, ge=0, le=1)


class Run(Capture):
    timestamp: int | None = Field(None, ge=0)
    completed_at: datetime | None = None
    challenge_count: int | None = Field(None, ge=0, le=100)
    completed_challenges: Challenges | None = None
    challenges: Challenges | None = None
    final_capture: Capture = Capture()


class ImageMetadata(Capture):
    model_config = ConfigDict(extra="allow")


class Submission(Body):
    session_id: str = Field(min_length=1, max_length=255)
    is_successful: bool
    image_base64: str | None = None
    image_path: str | None = Field(None, max_length=1024)
    metadata: Run = Run()
    image_metadata: ImageMetadata | None = None


class OfUser(Body):
    user_id: int


class Page(Body):
    self_service_user_id: int | None = None
    pre_registration_id: int | None = None
    session_id: str | None = None
    page_number: int = Field(1, ge=1)
    page_size: int = Field(20, ge=1, le=100)


# What is answered.

T = TypeVar("T")


class Answer(BaseModel, Generic[T]):
    isSuccessful: bool = True
    statusCode: str = "00"
    message: str
    data: T


class Receipt(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)
    id: int
    session_id: str
    is_successful: bool
    verification_result: bool | None
    challenge_count: int | None
    completed_at: str | None
    created_at: str


class Data(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal, validate_by_name=True)


class Status(Data):
    has_completed_liveness_check: bool
    liveness_check_date: str | None
    session_id: str | None


class Record(Data):
    id: int
    session_id: str
    is_successful: bool
    verification_result: bool | None
    session_duration: int | None
    lighting_value: float | None
    challenge_count: int | None
    completed_challenges: list[str] | None
    final_capture_verification_result: bool | None
    has_image: bool
    image_path: str | None
    completed_at: str | None
    created_at: str
    device_info: str | None
    client_ip: str | None


class Face(Record):
    image_base64: str | None


class Item(Record):
    self_service_user_id: int
    pre_registration_id: int | None
    email_address: str
    display_name: str


class UserCheck(Data):
    user_id: int
    email_address: str
    display_name: str
    liveness_check: Face | None


class Listed(Data):
    items: list[Item]
    page_number: int
    page_size: int
    total_count: int


def record(check: Check) -> dict:
    return {
        "id": check.id, "session_id": check.session_id, "is_successful": check.is_successful,
        "verification_result": check.verification_result, "session_duration": check.session_duration,
        "lighting_value": check.lighting_value, "challenge_count": check.challenge_count,
        "completed_challenges": check.completed_challenges and json.loads(check.completed_challenges),
        "final_capture_verification_result": check.final_verification_result,
        "has_image": check.image_media_type is not None, "image_path": check.image_path, "completed_at": check.completed_at,
        "created_at": check.created_at, "device_info": check.device_info, "client_ip": check.client_ip,
    }  # fmt: skip


# Who calls.

bearer = HTTPBearer(auto_error=False)


def role(name: str):
    async def subject(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> int:
        try:
            claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], options={"require": ["sub", "exp"]})
            user = int(claims["sub"])
        except (AttributeError, ValueError, jwt.InvalidTokenError):
            raise HTTPException(401, "Unauthorized") from None
        if claims.get("role") != name:
            raise HTTPException(403, "Forbidden")
        return user

    return Depends(subject)


# The messages.


@asynccontextmanager
async def lifespan(_app: FastAPI):
    # The endpoints run in these threads. More of them, 40 by default, wait for the interpreter's lock.
    to_thread.current_default_thread_limiter().total_tokens = 4
    yield


app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)


@app.exception_handler(HTTPException)
def refuse(_request: Request, error: HTTPException):
    body = {"isSuccessful": False, "statusCode": str(error.status_code), "message": error.detail, "data": None}
    return JSONResponse(body, error.status_code)


class LimitBody:
    """Refuses bodies that say they are too large."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        announced = next((int(value) for name, value in scope.get("headers", ()) if name == b"content-length"), 0)
        if announced > BODY_LIMIT:
            return await JSONResponse({"isSuccessful": False, "statusCode": "413"}, 413)(scope, receive, send)
        await self.app(scope, receive, send)


app.add_middleware(LimitBody)


def message(name: str):
    return app.post(f"/api/BPMSelfService/commands/{name}")


def decode_image(encoded: str) -> bytes:
    try:
        image = base64.b64decode(encoded.partition(";base64,")[2] if encoded.startswith("data:") else encoded, validate=True)
    except binascii.Error:
        image = b""
    if not image.startswith(b"\xff\xd8\xff"):
        raise HTTPException(400, "imageBase64 is not a JPEG in Base64.")
    return image


def rfc3339(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@message("SubmitLivenessCheckCommand")
def submit(body: Submission, request: Request, user: Annotated[int, role("customer")]) -> Answer[Receipt]:
    if not body.is_successful:
        raise HTTPException(422, "The liveness check did not succeed.")
    run, final = body.metadata, body.metadata.final_capture
    image = decode_image(body.image_base64) if body.image_base64 else None
    check = Check(
        user_id=user, session_id=body.session_id, is_successful=body.is_successful,
        verification_result=run.verification_result, session_duration=run.session_duration,
        lighting_value=run.lighting_value, challenge_count=run.challenge_count,
        completed_challenges=run.completed_challenges and json.dumps(run.completed_challenges),
        challenges=run.challenges and json.dumps(run.challenges), final_verification_result=final.verification_result,
        final_session_duration=final.session_duration, final_lighting_value=final.lighting_value,
        image_media_type=image and "image/jpeg", image_path=body.image_path,
        completed_at=run.completed_at and rfc3339(run.completed_at), created_at=rfc3339(datetime.now(timezone.utc)),
        device_info=body.image_metadata and body.image_metadata.model_dump_json(by_alias=True),
        client_ip=request.client.host, image_bytes=image,
    )  # fmt: skip
    with NewSession.begin() as session:
        session.add(check)
    receipt = Receipt(**{field: getattr(check, field) for field in Receipt.model_fields})
    return Answer(message="Liveness check completed successfully.", data=receipt)


@message("CheckLivenessStatusQuery")
def status(user: Annotated[int, role("customer")]) -> Answer[Status]:
    passed = (
        select(Check.completed_at, Check.created_at, Check.session_id)
        .where(Check.user_id == user, Check.is_successful, Check.verification_result.is_not(False))
        .order_by(Check.id.desc())
        .limit(1)
    )
    with NewSession() as session:
        row = session.execute(passed).first()
    date, of_session = (row.completed_at or row.created_at, row.session_id) if row else (None, None)
    data = Status(has_completed_liveness_check=row is not None, liveness_check_date=date, session_id=of_session)
    return Answer(message="Liveness check status.", data=data)


@message("GetUserLivenessCheckQuery")
def get_user(body: OfUser, _admin: Annotated[int, role("admin")]) -> Answer[UserCheck]:
    latest = select(Check).where(Check.user_id == body.user_id).order_by(Check.id.desc()).limit(1)
    with NewSession() as session:
        user = session.get(User, body.user_id)
        check = session.scalar(latest.options(undefer(Check.image_bytes)))
    if user is None:
        raise HTTPException(404, "There is no such user.")
    face = None
    if check:
        image = check.image_bytes
        uri = f"data:{check.image_media_type};base64,{base64.b64encode(image).decode()}" if image else None
        face = Face(**record(check), image_base64=uri)
    data = UserCheck(user_id=user.id, email_address=user.email, display_name=user.name, liveness_check=face)
    return Answer(message="Liveness check of the user.", data=data)


@message("RetrieveLivenessChecksQuery")
def retrieve(body: Page, _admin: Annotated[int, role("admin")]) -> Answer[Listed]:
    wanted = {Check.user_id: body.self_service_user_id, Check.session_id: body.session_id}
    filters = [column == value for column, value in wanted.items() if value is not None]
    count, page = select(func.count()).select_from(Check), select(Check).join(Check.user).options(contains_eager(Check.user))
    # Every record has a user, so only this filter needs the users to count.
    if body.pre_registration_id is not None:
        filters.append(User.pre_registration_id == body.pre_registration_id)
        count = count.join(Check.user)
    page = page.order_by(Check.id.desc()).limit(body.page_size).offset((body.page_number - 1) * body.page_size)
    with NewSession() as session:
        total = session.scalar(count.where(*filters))
        checks = session.scalars(page.where(*filters)).all()
    items = [
        Item(
            **record(check), self_service_user_id=check.user_id, pre_registration_id=check.user.pre_registration_id,
            email_address=check.user.email, display_name=check.user.name,
        )
        for check in checks
    ]  # fmt: skip
    data = Listed(items=items, page_number=body.page_number, page_size=body.page_size, total_count=total)
    return Answer(message="Liveness checks retrieved successfully.", data=data)
