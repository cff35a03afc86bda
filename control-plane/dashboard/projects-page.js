// The organisation's projects, for who holds one of its keys: choose, create, rename, delete.

import { withQuery } from './api.js';
import { button } from './button.js';
import { ask, confirm } from './dialog.js';
import { h } from './dom.js';
import { empty } from './empty.js';
import { Failure } from './failure.js';
import { field, select } from './field.js';
import { icon } from './icons.js';
import { menu, menuItem } from './menu.js';
import { pageHead } from './page-head.js';
import { recordList } from './record-list.js';
import { addressOf, go, link } from './router.js';
import { learnProjects, refreshProjects } from './session.js';
import { toast } from './toast.js';
import { time } from './words.js';

export const projectsPage = {
    title: 'Projects',
    needs: 'organisation',
    draw(context) {
        const create = () => askToCreate(context);
        const list = recordList({
            what: 'projects',
            caption: 'Projects',
            id: 'projects',
            columns: columns(context),
            fetchPage: async (cursor) => {
                const page = await context.api.projects(withQuery('', { limit: cursor ? 100 : 50, cursor }));
                learnProjects(page.body.items);
                return page;
            },
            empty: () =>
                empty({
                    picture: 'projects',
                    title: 'No projects yet',
                    text: 'A project has its own settings, API keys and MCP servers. Create the first one.',
                    action: button('Create project', { kind: 'primary', onclick: create }),
                }),
        });
        list.reload();
        return [
            pageHead(
                'Projects',
                `Choose a project of ${context.session.organisation.name} to see its settings, keys and usage.`,
                [button([icon('plus', 16), 'Create project'], { kind: 'primary', id: 'create-project', onclick: create })],
            ),
            list.element,
        ];
    },
};

function columns(context) {
    return [
        { label: 'Name', head: true, cell: (project) => link(addressOf('settings', project.id), project.name) },
        { label: 'Id', cell: (project) => h('code', {}, project.id) },
        {
            label: 'API key for MCP',
            cell: ({ config }) =>
                config.require_mcp_api_key
                    ? h('span', { class: 'badge good' }, 'Required')
                    : h('span', { class: 'badge bad' }, 'Not required'),
        },
        { label: 'Created', cell: (project) => time(project.created_at, 'date') },
        { label: 'Actions', unseen: true, class: 'actions', cell: (project) => actions(context, project) },
    ];
}

function actions(context, project) {
    const trigger = h(
        'button',
        { type: 'button', class: 'button plain icon', 'aria-label': `Actions for ${project.name}` },
        icon('more'),
    );
    return menu(
        trigger,
        [
            menuItem('Rename…', () => askToRename(context, project)),
            h('hr'),
            menuItem('Delete…', () => askToDelete(context, project), { danger: true }),
        ],
        { label: `Actions for ${project.name}` },
    );
}

function askToCreate({ api }) {
    const name = field({ label: 'Name', name: 'name', id: 'project-name', maxlength: 100, required: true });
    const lock = field({
        label: 'Require an API key for MCP',
        name: 'require_mcp_api_key',
        id: 'project-lock',
        control: select({
            options: [
                ['', 'As is usual for the organisation'],
                ['true', 'Yes'],
                ['false', 'No'],
            ],
        }),
        hint: 'Organisations created since 1 March 2026 require a key unless told otherwise. It can be changed at any time.',
    });
    ask({
        title: 'Create a project',
        fields: [name, lock],
        label: 'Create project',
        submit: async () => {
            const { body } = await api.projects('', {
                method: 'POST',
                body: { name: name.value.trim(), require_mcp_api_key: lock.value ? lock.value === 'true' : undefined },
            });
            learnProjects([body]);
            await refreshProjects();
            toast(`Project “${body.name}” created.`);
            go(addressOf('keys', body.id));
        },
    });
}

function askToRename({ api, redraw }, project) {
    const name = field({ label: 'Name', name: 'name', id: 'project-name', value: project.name, maxlength: 100, required: true });
    ask({
        title: `Rename “${project.name}”`,
        fields: [name],
        label: 'Rename project',
        submit: async () => {
            await api.projects(`/${encodeURIComponent(project.id)}`, { method: 'PATCH', body: { name: name.value.trim() } });
            await refreshProjects();
            toast('Project renamed.');
            redraw();
        },
    });
}

function askToDelete({ api, redraw }, project) {
    const typed = field({ label: `Type the project’s name, ${project.name}, to confirm`, name: 'typed', id: 'confirm-name' });
    confirm({
        title: `Delete “${project.name}” for good?`,
        body: h(
            'div',
            { class: 'stack' },
            h(
                'p',
                {},
                'The project, its API keys and its MCP servers are gone at once. Its keys are refused everywhere and its MCP URLs answer 404 within about a second. This cannot be undone; the audit log of it stays.',
            ),
        ),
        fields: [typed],
        label: 'Delete project',
        danger: true,
        act: async () => {
            if (typed.value.trim() !== project.name)
                throw new Failure({ message: '', errors: ['typed must be the project’s name'] });
            await api.projects(`/${encodeURIComponent(project.id)}`, { method: 'DELETE' });
            await refreshProjects();
            toast(`Project “${project.name}” deleted.`);
            redraw();
        },
    });
}
