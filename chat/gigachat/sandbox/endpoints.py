"""The short API endpoints: models, token counts, embeddings, balance, function validation."""

from typing import Any

from aiohttp import web

from chat.gigachat.sandbox.counting import count_tokens
from chat.gigachat.sandbox.embedding import embed_text
from chat.gigachat.sandbox.encoding import encode_json
from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.rules import check_functions, iter_missing_properties
from chat.gigachat.sandbox.schema import FunctionIn, TextsIn, parse_body
from chat.gigachat.sandbox.state import STATE


def build_json(value: Any) -> web.Response:
    return web.Response(body=encode_json(value), headers={"Content-Type": "application/json; charset=utf-8"})


async def list_models(request: web.Request) -> web.Response:
    models = request.app[STATE].catalogue.list_models()
    return build_json({"object": "list", "data": [model.to_json() for model in models]})


async def show_model(request: web.Request) -> web.Response:
    """Raises: ApiError 404"""
    return build_json(request.app[STATE].catalogue.get(request.match_info["name"]).to_json())


async def count_input(request: web.Request) -> web.Response:
    """Answer with a bare array, one entry per text.

    Raises: ApiError 400, 404
    """
    texts = parse_body(TextsIn, await request.read())
    request.app[STATE].catalogue.get(texts.model)
    return build_json(
        [{"object": "tokens", "tokens": count_tokens(text), "characters": len(text)} for text in texts.input]
    )


async def embed_input(request: web.Request) -> web.Response:
    """Raises: ApiError 400, 404"""
    texts = parse_body(TextsIn, await request.read())
    model = request.app[STATE].catalogue.get_of_type(texts.model, "embedder")
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": embed_text(text, model.name, size=model.vector_size),
            "usage": {"prompt_tokens": count_tokens(text)},
        }
        for index, text in enumerate(texts.input)
    ]
    return build_json({"object": "list", "model": model.name, "data": data})


async def show_balance(request: web.Request) -> web.Response:
    """Raises: ApiError 403 for a pay-as-you-go account"""
    return build_json(request.app[STATE].packages.to_json())


async def validate_function(request: web.Request) -> web.Response:
    """Tell what is wrong with one function definition; a wrong one is an answer, not an error."""
    function = parse_body(FunctionIn, await request.read())
    problems = [
        {"description": f"Field '{path}' is missing", "schema_location": path}
        for path in iter_missing_properties(function)
    ]
    try:
        check_functions([function.model_copy(update={"parameters": {}})])
    except ApiError as error:
        problems.append({"description": error.message, "schema_location": "name"})
    warnings = []
    if not function.few_shot_examples:
        warnings.append({"description": "few_shot_examples are missing", "schema_location": "few_shot_examples"})
    answer = {
        "status": 400 if problems else 200,
        "message": "Incorrect function syntax" if problems else "Function is valid",
        "json_ai_rules_version": "1.0.5",
    }
    return build_json({**answer, "errors": problems, "warnings": warnings})


ROUTES = (
    ("GET", "/models", list_models),
    ("GET", "/models/{name}", show_model),
    ("POST", "/tokens/count", count_input),
    ("POST", "/embeddings", embed_input),
    ("GET", "/balance", show_balance),
    ("POST", "/functions/validate", validate_function),
)
