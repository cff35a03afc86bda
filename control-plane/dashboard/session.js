// Who is signed in, and which projects they may choose among.

import { apiFor, sessionApi, withQuery } from './api.js';
import { Failure } from './failure.js';

/** The most projects that the menu offers; the page of projects has all of them. */
const OFFERED = 300;
/** How many projects are read at most to find the name of the one that an address names. */
const LOOKED_THROUGH = 10_000;
/** How long to wait at least before the session is asked for again, and the longest that a browser's timer can wait. In milliseconds. */
const SHORTEST_WAIT = 60_000;
const LONGEST_WAIT = 2 ** 31 - 1;

let current = null;
let projects = [];
/** Every project whose name was read, by its id. */
const known = new Map();
let timer = null;
let look = () => {};

/** The session, as the service tells of it; null: nobody is signed in. */
export const session = () => current;

/** Whether an organisation's key is signed in. */
export const isOrganisation = () => current?.kind === 'organisation';

/** The projects to choose among, which only a session of an organisation has. */
export const offeredProjects = () => projects;

/** Asks who is signed in. Throws a failure with status 401 when nobody is. */
export async function resume() {
    begin((await sessionApi.get()).body);
    await refreshProjects();
}

/** Signs in with a key. */
export async function signIn(key) {
    await sessionApi.start(key);
    // That the key is good does not mean that the browser keeps the cookie.
    begin((await sessionApi.get().catch(cookieNotKept)).body);
    await refreshProjects();
}

/** What happens when the session has ended, or another key was signed in with, found out without a call of the page. */
export function onSessionChange({ ended, replaced }) {
    const check = async () => {
        if (!current) return;
        const { key } = current;
        try {
            const { body } = await sessionApi.get();
            if (body.key.id !== key.id) replaced();
            else begin(body);
        } catch (failure) {
            if (failure.status === 401) ended(failure);
            else wait(SHORTEST_WAIT);
        }
    };
    look = check;
    // Another tab may have signed out, or in with another key.
    document.addEventListener('visibilitychange', () => !document.hidden && check());
}

/** Signs out. */
export async function signOut() {
    await sessionApi.end();
    forget();
}

/** Forgets who was signed in, because they are no more. */
export function forget() {
    clearTimeout(timer);
    current = null;
    projects = [];
    known.clear();
}

/**
 * Reads the organisation's projects again, after one was created, renamed or deleted. When that fails, what was known before
 * stays: what was done is done, and must not look as if it were not.
 */
export async function refreshProjects() {
    if (!isOrganisation()) return;
    const api = apiFor();
    const chosen = new URLSearchParams(location.search).get('project');
    const items = [];
    let cursor = null;
    try {
        do {
            const { body } = await api.projects(withQuery('', { limit: 100, cursor }));
            items.push(...body.items);
            learnProjects(body.items);
            cursor = body.next_cursor;
        } while (cursor && (items.length < OFFERED || (chosen && !known.has(chosen) && items.length < LOOKED_THROUGH)));
        projects = items.slice(0, OFFERED);
    } catch (failure) {
        console.warn('the projects could not be read', failure);
    }
}

/** Remembers the names of projects that a page has read. */
export function learnProjects(items) {
    for (const project of items) known.set(project.id, project);
}

/** The name of one of the organisation's projects, or null if it was not read. */
export const projectName = (id) => known.get(id)?.name ?? null;

/** The project that an address names: the session's own, or the one chosen by `?project=`, which may be `nameless`. */
export function projectOf(query) {
    if (!isOrganisation()) return current.project;
    const id = query.get('project');
    return id ? (known.get(id) ?? { id, name: id, nameless: true }) : null;
}

function cookieNotKept(failure) {
    if (failure.status !== 401) throw failure;
    throw new Failure({
        message:
            'the key is good, but the browser did not keep the session cookie, as over plain HTTP from another machine than the one that runs the control plane',
        fix: 'open the dashboard with https, and allow cookies for it',
    });
}

function begin(body) {
    current = body;
    // A second later than it should be over. The browser's clock may be wrong, so it does not decide.
    wait(new Date(body.expires_at) - Date.now() + 1000);
}

function wait(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(() => look(), Math.min(Math.max(milliseconds, SHORTEST_WAIT), LONGEST_WAIT));
}
