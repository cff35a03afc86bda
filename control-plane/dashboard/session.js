// Who is signed in, and which projects they may choose among.

import { apiFor, sessionApi, withQuery } from './api.js';
import { Failure } from './failure.js';
import { allPages } from './load.js';

/** The most projects that the menu offers; the page of projects has all of them. */
const OFFERED = 300;
/** How long to wait at least before the session is asked for again, and the longest that a browser's timer can wait. In milliseconds. */
const SHORTEST_WAIT = 60_000;
const LONGEST_WAIT = 2 ** 31 - 1;

let current = null;
let projects = [];
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
    await readProjects();
}

/** Signs in with a key. */
export async function signIn(key) {
    await sessionApi.start(key);
    try {
        begin((await sessionApi.get()).body);
    } catch (failure) {
        if (failure.status === 401) throw Failure.notKept();
        throw failure;
    }
    await readProjects();
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
}

/** Reads the organisation's projects again, after one was created, renamed or deleted. Failing at that undoes nothing. */
export async function refreshProjects() {
    try {
        await readProjects();
    } catch {
        // The menu shows what it showed before; the list of projects tells of its own failure.
    }
}

async function readProjects() {
    if (!isOrganisation()) return;
    const api = apiFor();
    projects = await allPages((cursor) => api.projects(withQuery('', { limit: 100, cursor })), OFFERED);
}

/**
 * The project that an address names: the session's own, or the one chosen by `?project=`. One that the menu does not offer is
 * `unnamed`: its id stands for its name.
 */
export function projectOf(query) {
    if (!isOrganisation()) return current.project;
    const id = query.get('project');
    return id ? (projects.find((project) => project.id === id) ?? { id, name: id, unnamed: true }) : null;
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
