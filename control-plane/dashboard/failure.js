// What went wrong with a call, in words: from the API's error envelope, or from what the browser knows.

import { h, put } from './dom.js';

/** What to do, by the API's word, where the API's own advice is for programs. */
const FIXES = {
    INVALID_FIELDS: 'correct what is listed; nothing was changed',
    INVALID_BODY: 'reload the page, then try again',
    INVALID_QUERY: 'reload the page, then try again',
    INVALID_CONDITION: 'reload the page, then try again',
    SETTINGS_CHANGED: 'reload the page to see the settings as they are, then try again',
    NOT_FOUND: 'reload the page; if it persists, tell whoever runs the service',
    PROJECT_NOT_FOUND: 'choose another project; this one may have been deleted',
    API_KEY_NOT_FOUND: 'reload the page; somebody else may have changed the keys',
    MCP_SERVER_NOT_FOUND: 'reload the page; somebody else may have removed the server',
    API_KEY_REPLACED: 'use the key that took its place, or create a new one',
    ORGANISATION_KEY_NEEDED: 'sign in with a key of the organisation (oak_…)',
    NO_PROJECT_ID: 'choose a project',
    BODY_TOO_LARGE: 'enter less',
    TIMEOUT: 'try again in a moment',
    NOT_READY: 'try again in a moment',
};

/** What to do about an error, in the words of a page. */
function fixOf({ slug, suggested_fix: told }, retryAfter) {
    if (slug === 'TOO_MANY_SIGN_INS' && !retryAfter) return 'try again in a minute';
    if (retryAfter) return `try again in ${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}`;
    return FIXES[slug] ?? told ?? 'try again; if it persists, tell whoever runs the service';
}

/** Why a call did not do what it was to do. */
export class Failure extends Error {
    constructor({ status = 0, slug = '', message, fix = '', requestId = '', errors = [], retryAfter = null }) {
        super(message);
        Object.assign(this, { status, slug, fix, requestId, errors, retryAfter });
    }

    /** Reads an answer that is an error. */
    static async of(answer) {
        let error = {};
        try {
            error = (await answer.json()).error ?? {};
        } catch {
            // Something between here and the service answered in its own way.
        }
        const retryAfter = Number(answer.headers.get('retry-after')) || null;
        return new Failure({
            status: answer.status,
            slug: error.slug,
            message: error.message ?? `the server answered with status ${answer.status} and no explanation`,
            fix: fixOf(error, retryAfter),
            requestId: error.request_id ?? answer.headers.get('x-request-id') ?? '',
            errors: error.errors ?? [],
            retryAfter,
        });
    }

    /** A call that got no answer. */
    static unreachable() {
        return new Failure({ message: 'the control plane could not be reached', fix: 'check your connection, then try again' });
    }
}

/** A failure as a notice that screen readers speak at once. `retry` is called by a button. */
export function failureNotice(failure, { title = 'That did not work', retry = null } = {}) {
    const known = failure instanceof Failure;
    if (!known) console.error(failure);
    return h(
        'div',
        { class: 'notice bad', role: 'alert' },
        h('p', { class: 'title' }, title),
        h('p', {}, sentence(known ? failure.message : 'Something unexpected happened in this page.')),
        known &&
            failure.errors.length > 0 &&
            h(
                'ul',
                {},
                failure.errors.map((error) => h('li', {}, sentence(error))),
            ),
        known && failure.fix && h('p', {}, sentence(failure.fix)),
        known && failure.requestId && h('p', { class: 'small quiet' }, 'Request id: ', h('code', {}, failure.requestId)),
        retry &&
            h('div', { class: 'row' }, h('button', { class: 'button compact', type: 'button', onclick: retry }, 'Try again')),
    );
}

/** Shows a failure in a place, or clears it. Calls that were given up and ended sessions are no failures. */
export function showFailure(place, failure, options) {
    if (!failure || failure.name === 'AbortError' || failure.signedOut) put(place);
    else put(place, failureNotice(failure, options));
}

/** The API's messages begin small and end without a full stop. */
export function sentence(text) {
    const trimmed = text.trim();
    const first = /^[a-z]+[_.]/.test(trimmed) ? trimmed[0] : trimmed.charAt(0).toUpperCase();
    return `${first}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
