// What stays around the pages: brand, choice of project, navigation, and who is signed in.

import { busy, button } from './button.js';
import { h, put } from './dom.js';
import { icon } from './icons.js';
import { projectMenu } from './project-menu.js';
import { addressOf } from './router.js';
import { isOrganisation, session } from './session.js';
import { themeSwitch } from './theme-switch.js';
import { toast } from './toast.js';
import { time } from './words.js';

const ENTRIES = [
    { name: 'settings', label: 'Project Settings', icon: 'settings', project: true },
    { name: 'keys', label: 'API keys', icon: 'keys', project: true },
    { name: 'servers', label: 'MCP servers', icon: 'servers', project: true },
    { name: 'usage', label: 'Usage', icon: 'usage', project: true },
    { name: 'audit', label: 'Audit log', icon: 'audit', project: false },
];

/** Draws the shell. `main` of what it returns holds the page; `update` tells it where the reader is. */
export function drawShell(place, { onsignout }) {
    const whose = h('div');
    const where = h('span', { class: 'where', 'aria-hidden': 'true' });
    const nav = h('nav', { class: 'nav', 'aria-label': 'Main' });
    const main = h('main', { id: 'main', class: 'page', tabindex: '-1' });
    const open = h(
        'button',
        {
            type: 'button',
            class: 'button icon menu-button',
            'aria-label': 'Menu',
            'aria-expanded': 'false',
            'aria-controls': 'sidebar-body',
            onclick: () => toggle(),
        },
        icon('menu'),
    );
    const body = h('div', { class: 'sidebar-body', id: 'sidebar-body' }, whose, nav, account(onsignout));
    const sidebar = h(
        'header',
        { class: 'sidebar', onkeydown: (event) => event.key === 'Escape' && sidebar.classList.contains('open') && leaveMenu() },
        h('div', { class: 'bar' }, brand(), where, open),
        body,
    );
    put(
        place,
        h(
            'a',
            {
                class: 'skip',
                href: '#main',
                onclick: (event) => {
                    event.preventDefault();
                    main.focus();
                },
            },
            'Skip to content',
        ),
        h('div', { class: 'shell' }, sidebar, main),
    );

    function toggle(to = !sidebar.classList.contains('open')) {
        sidebar.classList.toggle('open', to);
        open.setAttribute('aria-expanded', String(to));
    }

    function leaveMenu() {
        toggle(false);
        // What had the focus is hidden with the rest.
        if (open.checkVisibility()) open.focus();
    }

    return {
        main,
        update({ name, project }) {
            toggle(false);
            where.textContent = project?.name ?? '';
            put(whose, isOrganisation() ? projectMenu(name, project) : ownProject(project));
            put(
                nav,
                h(
                    'ul',
                    {},
                    entries(project).map((entry) => h('li', {}, anchor(entry, name, project))),
                ),
            );
        },
    };
}

/** The product's mark and name. */
export function brand(tag = 'a') {
    const attributes = tag === 'a' ? { href: addressOf('') } : {};
    return h(
        tag,
        { class: 'brand', ...attributes },
        h('img', { src: '/dashboard/assets/icon.svg', alt: '', width: 28, height: 28 }),
        h('span', {}, 'MCP Key Auth'),
    );
}

function entries(project) {
    const first = isOrganisation() ? [{ name: 'projects', label: 'Projects', icon: 'projects' }] : [];
    return [...first, ...ENTRIES.filter((entry) => project || !entry.project)];
}

function anchor(entry, name, project) {
    const chosen = isOrganisation() && project ? project.id : null;
    return h(
        'a',
        { href: addressOf(entry.name, chosen), 'aria-current': entry.name === name ? 'page' : null },
        icon(entry.icon),
        entry.label,
    );
}

function ownProject(project) {
    return h(
        'div',
        { class: 'whose' },
        h('div', { class: 'organisation' }, session().organisation.name),
        h('div', { class: 'project' }, project.name),
    );
}

function account(onsignout) {
    const { key, kind, expires_at: until } = session();
    const out = button('Sign out', {
        kind: 'compact',
        onclick: () =>
            busy(out, async () => {
                try {
                    await onsignout();
                } catch (failure) {
                    toast(`Signing out did not work: ${failure.message}.`);
                }
            }),
    });
    return h(
        'div',
        { class: 'account' },
        themeSwitch(),
        h(
            'div',
            { class: 'who' },
            h('span', { class: 'quiet' }, kind === 'organisation' ? 'Organisation key ' : 'Project key '),
            h('bdi', { class: 'key-name' }, key.name),
            h('div', { class: 'quiet' }, 'until ', time(until)),
        ),
        out,
    );
}
