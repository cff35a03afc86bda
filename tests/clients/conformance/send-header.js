// Gives the conformance suite, which has no option for it, headers to send: `node --import` it, with CLIENT_HEADERS as JSON.
// Only requests to CLIENT_ORIGIN get them, on each of the three ways by which the suite sends requests.

import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { Agent, setGlobalDispatcher } from 'undici';

const headers = JSON.parse(process.env.CLIENT_HEADERS ?? '{}');
const origin = process.env.CLIENT_ORIGIN;

/** `fetch`, both Node's own and the package's, and the package's `request`: all go through the dispatcher. */
const withHeaders = (dispatch) => (options, handler) =>
    dispatch(`${options.origin}` === origin ? { ...options, headers: added(options.headers) } : options, handler);

function added(given) {
    if (Array.isArray(given)) return [...given, ...Object.entries(headers).flat()];
    if (typeof given?.[Symbol.iterator] === 'function') return [...given, ...Object.entries(headers)];
    return { ...given, ...headers };
}

setGlobalDispatcher(new Agent().compose(withHeaders));

const { request } = http;
http.request = (...args) => {
    const sent = request(...args);
    if (`http://${sent.getHeader('host')}` === origin || sent.host === new URL(origin).hostname) {
        for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value);
    }
    return sent;
};
syncBuiltinESMExports();
