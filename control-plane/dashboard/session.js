// Who is signed in, and which projects they may choose among.

import { apiFor, sessionApi, withQuery } from './api.js';
import { allPages } from './load.js';

/** The most projects that the menu offers; the page of projects has all of them. */
const OFFERED = 300;
/** The longest that a browser's timer can wait, in milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

let current = null;
let projects = [];
let timer = null;

/** The session, as the service tells of it; null: nobody is signed in. */
export const session = () => current;

/** Whether an organisation's key is signed in. */
export const isOrganisation = () => current?.kind === 'organisation';

/** The projects to choose among, which only a session of an organisation has. */
export const offeredProjects = () => projects;

/** Asks who is signed in. Throws a failure with status 401 when nobody is. */
export async function resume(onend) {
    begin((await sessionApi.get()).body, onend);
    await refreshProjects();
}

/** Signs in with a key. */
export async function signIn(key, onend) {
    begin((await sessionApi.start(key)).body, onend);
    await refreshProjects();
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

/** Reads the organisation's projects again, after one was created, renamed or deleted. */
export async function refreshProjects() {
    if (!isOrganisation()) return;
    const api = apiFor();
    projects = await allPages((cursor) => api.projects(withQuery('', { limit: 100, cursor })), OFFERED);
}

/** The project that an address names: the session's own, or the one chosen by `?project=`. */
export function projectOf(query) {
    if (!isOrganisation()) return current.project;
    const id = query.get('project');
    return id ? (projects.find((project) => project.id === id) ?? { id, name: id }) : null;
}

function begin(body, onend) {
    current = body;
    clearTimeout(timer);
    // Looks once the session should be over; it may have been prolonged.
    const wait = Math.max(0, new Date(body.expires_at) - Date.now()) + 1000;
    if (Number.isFinite(wait)) timer = setTimeout(onend, Math.min(wait, LONGEST_WAIT));
}
