"""The floor: FastAPI on uvicorn, over TLS, taking the same requests and doing nothing."""

from fastapi import FastAPI, Request, Response

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/devices/{device_id}")
async def read_device(device_id: str) -> dict[str, str]:
    """Say which device was asked for."""
    return {"deviceId": device_id}


@app.api_route("/{path:path}", methods=["PUT", "PATCH", "POST"])
async def change(request: Request, path: str) -> Response:
    """Read the body."""
    await request.body()
    return Response(b"{}", media_type="application/json")
