// Starts the dashboard: finds out who is signed in, and shows the page that the address names.

import { apiFor, onSignedOut } from './api.js';
import { auditPage } from './audit-page.js';
import { closeDialogs } from './dialog.js';
import { h, put } from './dom.js';
import { isHeld, whenFree } from './hold.js';
import { failureNotice } from './failure.js';
import { keysPage } from './keys-page.js';
import { loading } from './load.js';
import { notFoundPage } from './not-found-page.js';
import { projectsPage } from './projects-page.js';
import { addressOf, go, onNavigation, pageName } from './router.js';
import { serversPage } from './servers-page.js';
import {
    forget,
    isOrganisation,
    offeredProjects,
    onSessionChange,
    projectOf,
    resume,
    session,
    signIn,
    signOut,
} from './session.js';
import { settingsPage } from './settings-page.js';
import { drawShell } from './shell.js';
import { signInPage } from './sign-in-page.js';
import { usagePage } from './usage-page.js';

const PAGES = {
    projects: projectsPage,
    settings: settingsPage,
    keys: keysPage,
    servers: serversPage,
    usage: usagePage,
    audit: auditPage,
};
const app = document.getElementById('app');
let leaving = new AbortController();
let shell = null;
/** Whether a page was shown before. */
let began = false;

async function start() {
    put(app, loading('the dashboard'));
    try {
        await resume();
    } catch (failure) {
        if (failure.signedOut) return;
        if (failure.status === 401) showSignIn(null);
        else
            put(
                app,
                h(
                    'main',
                    { class: 'sign-in' },
                    h('h1', { class: 'unseen' }, 'MCP Key Auth'),
                    failureNotice(failure, { title: 'The dashboard could not start', retry: start }),
                ),
            );
        return;
    }
    shell = null;
    show();
}

/** Draws the page of the current address. */
function show() {
    if (!session()) return;
    leave();
    if (pageName() === '') return goHome();
    const query = new URLSearchParams(location.search);
    const project = projectOf(query);
    const page = PAGES[pageName()] ?? notFoundPage;
    if (page.needs === 'organisation' && !isOrganisation()) return draw(notFoundPage, { project, query });
    if (page.needs === 'project' && !project) return go(addressOf('projects'), { replace: true });
    draw(page, { project, query });
}

function draw(page, { project, query }) {
    const { signal } = leaving;
    const first = !began;
    began = true;
    shell ??= drawShell(app, { onsignout: leaveSession });
    shell.update({ name: pageName(), project });
    document.title = [page.title, project?.name, 'MCP Key Auth'].filter(Boolean).join(' · ');
    const api = apiFor({ projectId: project?.id, signal });
    const context = {
        api,
        project,
        query,
        signal,
        session: session(),
        redraw: show,
        refreshShell: () => {
            shell = null;
        },
    };
    put(shell.main, page.draw(context));
    scrollTo(0, 0);
    // The first page is announced by the browser; after that the heading is, by being given the focus.
    if (!first) shell.main.querySelector('h1')?.focus();
}

function goHome() {
    const projects = offeredProjects();
    const only = projects.length === 1 ? projects[0].id : null;
    go(isOrganisation() && !only ? addressOf('projects') : addressOf('settings', only), { replace: true });
}

function leave() {
    leaving.abort();
    leaving = new AbortController();
    closeDialogs();
}

function showSignIn(failure, message = '') {
    leave();
    forget();
    shell = null;
    document.title = 'Sign in · MCP Key Auth';
    put(
        app,
        signInPage({
            failure,
            message,
            signIn: async (key) => {
                await signIn(key);
                show();
                shell?.main.querySelector('h1')?.focus();
            },
        }),
    );
}

async function leaveSession() {
    await signOut();
    history.replaceState(null, '', addressOf(''));
    showSignIn(null, 'You have signed out.');
}

/** The session is over; what a dialog holds on the screen is seen to its end first. */
function endSession(failure) {
    whenFree(() => session() && showSignIn(failure));
}

onSignedOut(endSession);
onSessionChange({ ended: endSession, replaced: () => whenFree(start) });
onNavigation(show);
start();
