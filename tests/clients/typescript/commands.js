// The commands of a client program, as tests/clients/README.md lists them, over whatever `connect` gives.

import { createInterface } from 'node:readline';

/** Larger than any buffer on the way, and with every kind of character. */
const LONG = `${'0123456789 äöü 你好 🦀 "\\\n'.repeat(12_000)}end`;

/** Runs commands until there are no more. */
export async function serve(connect) {
    let open;
    for await (const line of createInterface({ input: process.stdin })) {
        const command = JSON.parse(line);
        let answer;
        try {
            switch (command.do) {
                case 'session':
                    answer = await session(connect, command);
                    break;
                case 'try': {
                    const client = await connect(command);
                    await client.list();
                    await client.close();
                    answer = { connected: true };
                    break;
                }
                case 'open':
                    open = await connect(command);
                    await open.list();
                    answer = { ok: true };
                    break;
                case 'call':
                    await open.call('echo', { message: 'still here' }, { timeout: 3000 });
                    answer = { ok: true };
                    break;
                case 'close':
                    await open?.close().catch(() => {});
                    answer = { ok: true };
                    break;
                default:
                    throw new Error(`no such command: ${command.do}`);
            }
        } catch (error) {
            answer = { shown: shown(error) };
        }
        process.stdout.write(`${JSON.stringify(answer)}\n`);
    }
    process.exit(0);
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
