// The tab General: what the project is called, and how it presents itself.

import { busy, copyButton } from './button.js';
import { h, put } from './dom.js';
import { showFailure } from './failure.js';
import { complain, field } from './field.js';
import { isOrganisation, learnProjects, refreshProjects } from './session.js';
import { toast } from './toast.js';

/** What the tab holds. */
export function generalTab(context) {
    return [h('section', { class: 'card' }, facts(context)), h('section', { class: 'card' }, appearance(context))];
}

function facts(context) {
    const { project, session } = context;
    const id = h(
        'dd',
        {},
        h('code', { class: 'chip', id: 'project-id' }, project.id),
        ' ',
        copyButton('the project’s id', project.id, { kind: 'compact plain' }),
    );
    return [
        h('div', { class: 'card-head' }, h('h2', {}, 'Project')),
        h(
            'div',
            { class: 'card-body stack' },
            h(
                'dl',
                { class: 'facts' },
                !isOrganisation() && [h('dt', {}, 'Name'), h('dd', {}, project.name)],
                h('dt', {}, 'Organisation'),
                h('dd', {}, session.organisation.name),
                h('dt', {}, 'Project id'),
                id,
            ),
            isOrganisation()
                ? renaming(context)
                : h(
                      'p',
                      { class: 'small quiet' },
                      'The project can be renamed by whoever signs in with a key of the organisation.',
                  ),
        ),
    ];
}

function renaming({ api, project, redraw, refreshShell }) {
    const name = field({ label: 'Name', name: 'name', id: 'project-name', value: project.nameless ? '' : project.name, maxlength: 100 });
    const problem = h('div');
    const save = h('button', { type: 'submit', class: 'button' }, 'Rename');
    const form = h('form', { class: 'stack', novalidate: true }, name.element, problem, h('div', {}, save));
    form.addEventListener('submit', (event) => {
        event.preventDefault();
        busy(save, async () => {
            try {
                const { body } = await api.projects(`/${encodeURIComponent(project.id)}`, {
                    method: 'PATCH',
                    body: { name: name.value.trim() },
                });
                learnProjects([body]);
                await refreshProjects();
                refreshShell();
                redraw();
                // A shell that is drawn anew does not take the focus from the browser by itself.
                document.querySelector('h1')?.focus();
                toast('Project renamed.');
            } catch (failure) {
                showFailure(problem, complain([name], failure));
            }
        });
    });
    return form;
}

function appearance({ settings, change }) {
    const { config } = settings;
    const name = field({
        label: 'Display name',
        name: 'display_name',
        id: 'display-name',
        hint: 'The name shown to end users. Leave it empty for none.',
        value: config.display_name ?? '',
        maxlength: 100,
    });
    const logo = field({
        label: 'Logo URL',
        name: 'logo_url',
        id: 'logo-url',
        hint: 'An http or https address of an image. Leave it empty for none.',
        type: 'url',
        value: config.logo_url ?? '',
        maxlength: 2048,
        inputmode: 'url',
    });
    const problem = h('div');
    const save = h('button', { type: 'submit', class: 'button primary' }, 'Save');
    const form = h(
        'form',
        { novalidate: true },
        h('div', { class: 'card-head' }, h('h2', {}, 'Appearance')),
        h('div', { class: 'card-body stack' }, name.element, logo.element, problem),
        h('div', { class: 'card-foot' }, save),
    );
    form.addEventListener('submit', (event) => {
        event.preventDefault();
        const patch = {};
        for (const one of [name, logo]) {
            const value = one.value.trim() || null;
            if (value !== (settings.config[one.name] ?? null)) patch[one.name] = value;
        }
        put(problem);
        for (const one of [name, logo]) one.complain('');
        if (Object.keys(patch).length === 0) return toast('Nothing has changed.');
        busy(save, async () => {
            try {
                if (await change(patch)) toast('Settings saved.');
            } catch (failure) {
                showFailure(problem, complain([name, logo], failure));
            }
        });
    });
    return form;
}
