// The project's settings as the page knows them. A change is made only to the version that the reader has seen.

/** Somebody else changed the settings first: what was wanted, what the settings were, and what they are now. */
export class Conflict extends Error {
    constructor(wanted, before, now) {
        super('the settings were changed by somebody else');
        Object.assign(this, { wanted, before, now });
    }
}

/** The settings of the API's project. */
export function settingsOf(api) {
    let config = null;
    let etag = null;
    let revision = 0;
    let last = Promise.resolve();

    function keep({ body, headers }) {
        config = body;
        etag = headers.get('etag');
        revision = Number(headers.get('x-config-revision'));
        return config;
    }

    return {
        get config() {
            return config;
        },
        /** From which revision on they are in force. */
        get revision() {
            return revision;
        },
        load: async () => keep(await api.project('/config')),
        /** Changes some of them. Throws a `Conflict`, with the new settings read, when they are not what was seen. */
        change(patch) {
            // One after the other: a second change at once would be in conflict with the reader's own first.
            const changed = last.then(() => send(patch));
            last = changed.catch(() => {});
            return changed;
        },
    };

    async function send(patch) {
        try {
            return keep(await api.project('/config', { method: 'PATCH', body: patch, headers: { 'if-match': etag } }));
        } catch (failure) {
            if (failure.status !== 412) throw failure;
            const before = config;
            keep(await api.project('/config'));
            throw new Conflict(patch, before, config);
        }
    }
}
