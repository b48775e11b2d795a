"""Bodies the API takes. Strict about types, silent about unknown fields, as the service is."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from chat.gigachat.sandbox.errors import SCHEMA_MISMATCH, ApiError


class StrictModel(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


ModelT = TypeVar("ModelT", bound=StrictModel)


class CallIn(StrictModel):
    """A call the assistant made earlier, sent back: `arguments` is an object, not a string."""

    name: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class MessageIn(StrictModel):
    """`content` is one string and required for every role, `""` included; pictures go by `attachments`."""

    role: Literal["system", "user", "assistant", "function", "search_result"]
    content: str
    name: str | None = None
    function_call: CallIn | None = None
    functions_state_id: str | None = None
    attachments: list[str] = Field(default_factory=list)


class FewShotExample(StrictModel):
    request: str
    params: dict[str, JsonValue] = Field(default_factory=dict)


class FunctionIn(StrictModel):
    name: str
    description: str = ""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    few_shot_examples: list[FewShotExample] = Field(default_factory=list)
    return_parameters: dict[str, JsonValue] | None = None


class FunctionChoice(StrictModel):
    """The caller's order to call one function, perhaps with some arguments given."""

    name: str
    partial_arguments: dict[str, JsonValue] = Field(default_factory=dict)


class TextFormat(StrictModel):
    type: Literal["text"]


class SchemaFormat(StrictModel):
    """The schema sits directly here, unlike OpenAI's nested form."""

    type: Literal["json_schema"]
    schema_: dict[str, JsonValue] = Field(alias="schema")
    strict: bool = False


class CompletionIn(StrictModel):
    model: str
    messages: list[MessageIn]
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    repetition_penalty: float | None = None
    update_interval: float | None = None
    function_call: Literal["none", "auto"] | FunctionChoice | None = None
    functions: list[FunctionIn] = Field(default_factory=list)
    response_format: Annotated[TextFormat | SchemaFormat, Field(discriminator="type")] | None = None
    reasoning_effort: Literal["low", "medium", "high"] | None = None
    profanity_check: bool | None = None


class TextsIn(StrictModel):
    """Body of `/tokens/count` and `/embeddings`."""

    model: str
    input: list[str]


def parse_body(model: type[ModelT], body: bytes) -> ModelT:
    """Return the body as `model`.

    Raises: ApiError 400 with the one text the service has for every mismatch
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise ApiError(400, SCHEMA_MISMATCH) from error
