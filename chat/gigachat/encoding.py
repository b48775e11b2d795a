"""A prompt as GigaChat's JSON (v1): pure. What the service would refuse is found by `validation`, not here."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import orjson

from chat.gigachat.types import (
    Attachment,
    AttachmentKind,
    FunctionDefinition,
    FunctionMode,
    Prompt,
    PromptMessage,
    PromptRole,
)

OPTIONAL_FIELDS = ("temperature", "top_p", "max_tokens", "repetition_penalty", "update_interval")
# Older descriptions of the API read an image there.
IMAGE_ADDRESS = "https://gigachat.ru/files/{file_id}/content"


class ImageStyle(StrEnum):
    """How a picture stands in a message: by its id beside a string, as today's API wants it, or as a content part."""

    ATTACHMENTS = "attachments"
    IMAGE_URL = "image_url"


def encode_request(
    prompt: Prompt, *, is_streamed: bool = True, image_style: ImageStyle = ImageStyle.ATTACHMENTS
) -> bytes:
    """Return the body of `POST /chat/completions`.

    Without functions neither `functions` nor `function_call` is sent: leaving both out keeps the provider's built-in
    functions off.
    """
    body: dict[str, Any] = {
        "model": prompt.model,
        "messages": [to_json_message(message, image_style) for message in prompt.messages],
        "stream": is_streamed,
    }
    for name in OPTIONAL_FIELDS:
        if (value := getattr(prompt, name)) is not None:
            body[name] = value
    # Zero is not documented as legal; an empty nucleus says the same.
    if body.get("temperature") == 0:
        del body["temperature"]
        body["top_p"] = 0
    if prompt.functions:
        body["functions"] = [to_json_function(function) for function in prompt.functions]
        choice = prompt.function_choice
        # Without the field the provider's default is not to call.
        body["function_call"] = choice.value if isinstance(choice, FunctionMode) else {"name": choice.name}
    return orjson.dumps(body, default=to_plain)


def to_json_message(message: PromptMessage, image_style: ImageStyle) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message.role.value, "content": message.content}
    attached = message.attachments
    if attached and image_style is ImageStyle.IMAGE_URL:
        pictures = [to_json_picture(file) for file in attached if file.kind is AttachmentKind.IMAGE]
        attached = tuple(file for file in attached if file.kind is not AttachmentKind.IMAGE)
        if pictures:
            found["content"] = [{"type": "text", "text": message.content}, *pictures]
    if attached:
        found["attachments"] = [file.file_id for file in attached]
    if (call := message.function_call) is not None:
        found["function_call"] = {"name": call.name, "arguments": call.arguments}
        if call.state_id is not None:
            found["functions_state_id"] = call.state_id
    if message.name is not None:
        found["name"] = message.name
    return found


def to_json_picture(file: Attachment) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": IMAGE_ADDRESS.format(file_id=file.file_id)}}


def to_json_function(function: FunctionDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": function.name,
        "description": function.description,
        "parameters": function.parameters,
    }
    if function.few_shot_examples:
        found["few_shot_examples"] = [
            {"request": example.request, "params": example.params} for example in function.few_shot_examples
        ]
    if function.return_parameters is not None:
        found["return_parameters"] = function.return_parameters
    return found


def build_result_message(name: str, result: Any) -> PromptMessage:
    """Return the message that answers a call of the function `name`.

    result  anything JSON can say; what is no object is wrapped as `{"result": …}`, for the service takes objects only
    """
    value = result if isinstance(result, Mapping) else {"result": result}
    return PromptMessage(role=PromptRole.FUNCTION, name=name, content=orjson.dumps(value, default=to_plain).decode())


def to_plain(value: Any) -> dict[str, Any]:
    """Return a read-only mapping as what orjson can write. Raises: TypeError for what JSON cannot say"""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
