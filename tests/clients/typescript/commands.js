// The commands of a client program, as tests/clients/README.md lists them, over whatever `connect` gives. They run in a
// browser too.

/** Larger than any buffer on the way, and with every kind of character. */
const LONG = `${'0123456789 äöü 你好 🦀 "\\\n'.repeat(12_000)}end`;

/** Somebody who carries out commands; `connect` makes a client. */
export function performer(connect) {
    let open;
    const commands = {
        session: (command) => session(connect, command),
        async try(command) {
            const client = await connect(command);
            await client.list();
            await client.close();
            return { connected: true };
        },
        async open(command) {
            open = await connect(command);
            await open.list();
            return { ok: true };
        },
        async call() {
            await open.call('echo', { message: 'still here' }, { timeout: 3000 });
            return { ok: true };
        },
        async close() {
            await open?.close().catch(() => {});
            return { ok: true };
        }
    };
    return async (command) => {
        try {
            return await commands[command.do](command);
        } catch (error) {
            return { shown: shown(error) };
        }
    };
}

/** What Node prints of an error that nobody catches, without the stack. */
const shown = (error) => `${error.name}: ${error.message}`;

async function session(connect, command) {
    const steps = [];
    const step = async (name, work) => {
        const done = await work();
        steps.push(name);
        return done;
    };
    const expect = (found, wanted) => {
        if (found !== wanted) throw new Error(`${JSON.stringify(found)?.slice(0, 200)} instead of ${wanted.slice(0, 200)}`);
    };
    try {
        const client = await step('initialize', () => connect(command));
        await step('list', async () => expect((await client.list()).includes('echo') ? 'echo' : 'none', 'echo'));
        await step('call', async () => expect(await client.call('echo', { message: LONG }), LONG));
        await step('progress', async () => {
            let last = 0;
            const onprogress = ({ progress }) => {
                last = progress;
                client.call('seen', { step: progress }).catch(() => {});
            };
            expect(await client.call('count_together', { to: 3 }, { onprogress }), 'counted to 3');
            expect(`${last}`, '3');
        });
        await step('notification', async () => {
            const told = new Promise((resolve) => client.onListChanged(resolve));
            expect(await client.call('announce', {}), 'announced');
            await told;
        });
        if (command.transport !== 'sse') {
            await step('resume', async () => {
                expect(await client.call('break_off', {}, { onprogress: () => {} }), 'resumed');
            });
        }
        await step(command.transport === 'sse' ? 'close' : 'delete', () => client.close());
        return { steps };
    } catch (error) {
        return { steps, shown: shown(error) };
    }
}
