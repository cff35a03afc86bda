// Calls to the service. Each carries the header without which the session's cookie does not count.

import { Failure } from './failure.js';

const PROJECT = '/api/v3/org/project';
let signedOut = () => {};

/** Sets what happens when a call is answered with "you are not signed in". */
export function onSignedOut(listener) {
    signedOut = listener;
}

/** The session calls, which are not part of the public API. */
export const sessionApi = {
    get: () => call('/dashboard/session', { ends: false }),
    start: (key) => call('/dashboard/session', { method: 'POST', body: { api_key: key }, ends: false }),
    end: () => call('/dashboard/session', { method: 'DELETE', ends: false }),
};

/**
 * The API for one page: reading ends with `signal`, and calls are about the project of that id. A session of another project,
 * signed in to meanwhile in another tab, then changes nothing in its own. Each returns `{ body, headers }`, or throws a
 * `Failure`.
 */
export function apiFor({ projectId = null, signal = null } = {}) {
    const headers = projectId ? { 'x-project-id': projectId } : {};
    const request = (path, options = {}) => {
        // Whoever changed something and went on is still told what became of it.
        const ends = (options.method ?? 'GET') === 'GET' ? { signal } : {};
        return call(path, { ...ends, ...options, headers: { ...headers, ...options.headers } });
    };
    return {
        /** A call about the project: `path` follows `/api/v3/org/project`. */
        project: (path, options) => request(`${PROJECT}${path}`, options),
        /** A call about the organisation's projects: `path` follows `/api/v3/org/projects`. */
        projects: (path, options) => request(`/api/v3/org/projects${path}`, { ...options, headers: { 'x-project-id': null } }),
        /** The audit log of the whole organisation. */
        organisationAudit: (query) => request(`${PROJECT}/audit_log${query}`, { headers: { 'x-project-id': null } }),
    };
}

/** Path and query; parameters that are empty are left out. */
export function withQuery(path, parameters) {
    const query = new URLSearchParams(
        Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== ''),
    );
    return query.size > 0 ? `${path}?${query}` : path;
}

async function call(path, { method = 'GET', body, headers = {}, signal = null, ends = true }) {
    const sent = { accept: 'application/json', 'x-dashboard': '1', ...headers };
    if (body !== undefined) sent['content-type'] = 'application/json';
    const present = Object.entries(sent).filter(([, value]) => value !== null);
    let answer;
    try {
        answer = await fetch(path, {
            method,
            headers: Object.fromEntries(present),
            body: body === undefined ? undefined : JSON.stringify(body),
            signal,
            cache: 'no-store',
            credentials: 'same-origin',
            redirect: 'error',
        });
    } catch (error) {
        throw error.name === 'AbortError' ? error : Failure.unreachable();
    }
    if (!answer.ok) {
        const failure = await Failure.of(answer);
        if (answer.status === 401 && ends && failure.slug !== 'ORGANISATION_KEY_NEEDED') {
            failure.signedOut = true;
            signedOut(failure);
        }
        throw failure;
    }
    try {
        return { body: answer.status === 204 ? null : await answer.json(), headers: answer.headers };
    } catch (error) {
        throw error.name === 'AbortError' ? error : Failure.unreachable();
    }
}
