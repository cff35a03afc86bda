// What an interactive host gives its SDK so that it can log in, but without a browser to log in with: it stops where the
// user would be sent to one.

export class NoLogin {
    redirectUrl = 'http://127.0.0.1:9/callback';
    clientMetadata = {
        client_name: 'client tests',
        redirect_uris: [this.redirectUrl],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none'
    };
    #client;

    clientInformation = () => this.#client;
    saveClientInformation = (client) => void (this.#client = client);
    tokens = () => undefined;
    saveTokens = () => {};
    saveCodeVerifier = () => {};
    codeVerifier = () => 'verifier';
    redirectToAuthorization(url) {
        throw new Error(`the user would be sent to ${url.origin} to log in`);
    }
}
