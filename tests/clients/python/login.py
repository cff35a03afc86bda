"""What an interactive host gives its SDK so that it can log in, but without a browser to log in with."""

from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata

CALLBACK = "http://127.0.0.1:9/callback"


class Forgetful:
    """Keeps nothing but the client that was registered."""

    client = None

    async def get_tokens(self):
        return None

    async def set_tokens(self, tokens):
        pass

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


async def _redirect(url):
    raise RuntimeError(f"the user would be sent to {url.split('?')[0]} to log in")


async def _callback():
    raise RuntimeError("nobody logs in here")


def provider(url):
    return OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(
            client_name="client tests",
            redirect_uris=[CALLBACK],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        ),
        storage=Forgetful(),
        redirect_handler=_redirect,
        callback_handler=_callback,
    )
