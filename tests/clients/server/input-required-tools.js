// Tools of the conformance suite that answer with what they still need to know, as revision 2026-07-28 does.

import { says, text } from './content.js';

const form = (message, properties) => ({
    method: 'elicitation/create',
    params: { message, requestedSchema: { type: 'object', properties, required: Object.keys(properties) } }
});
const sample = (question, maxTokens) => ({
    method: 'sampling/createMessage',
    params: { messages: [{ role: 'user', content: text(question) }], maxTokens }
});
const roots = () => ({ method: 'roots/list', params: {} });
const NAME = form('What is your name?', { name: { type: 'string' } });

/** Asks again until `key` is answered with something that `read` finds usable. */
const asks = (key, request, read) => ({
    description: `Needs ${key}`,
    async call(_, io) {
        const found = read(io.inputs[key]);
        return found === undefined ? io.need({ [key]: request }) : says(found);
    }
});

const accepted = (answer, name) => (answer?.action === 'accept' ? answer.content?.[name] : undefined);
const greeting = (answer) => {
    const name = accepted(answer, 'name');
    return typeof name === 'string' ? `Hello, ${name}!` : undefined;
};

export const inputRequiredTools = {
    test_input_required_result_elicitation: asks('user_name', NAME, greeting),
    test_input_required_result_sampling: asks(
        'capital_question',
        sample('What is the capital of France?', 100),
        (answer) => answer?.content?.text
    ),
    test_input_required_result_list_roots: asks('client_roots', roots(), (answer) =>
        answer?.roots ? `Roots: ${answer.roots.map(({ uri }) => uri).join(', ')}` : undefined
    ),
    test_input_required_result_request_state: {
        description: 'Gives out a state and wants it back',
        async call(_, io) {
            if (io.inputs.confirm && io.state()) return says('state-ok');
            return io.need({ confirm: form('Please confirm', { ok: { type: 'boolean' } }) }, { round: 1 });
        }
    },
    test_input_required_result_multiple_inputs: {
        description: 'Needs three answers at once',
        async call(_, io) {
            const requests = {
                user_name: NAME,
                greeting: sample('Generate a greeting', 50),
                client_roots: roots()
            };
            const complete = io.state() && Object.keys(requests).every((key) => io.inputs[key]);
            return complete ? says('All three are here.') : io.need(requests, { round: 1 });
        }
    },
    test_input_required_result_multi_round: {
        description: 'Needs two answers, one after the other',
        async call(_, io) {
            const { round, name } = io.state() ?? {};
            if (round === 2 && io.inputs.step2) return says(`${name} likes ${accepted(io.inputs.step2, 'color')}.`);
            if (round === 1 && io.inputs.step1) {
                const color = form('Step 2: What is your favorite color?', { color: { type: 'string' } });
                return io.need({ step2: color }, { round: 2, name: accepted(io.inputs.step1, 'name') });
            }
            return io.need({ step1: form('Step 1: What is your name?', { name: { type: 'string' } }) }, { round: 1 });
        }
    },
    test_input_required_result_tampered_state: {
        description: 'Gives out a state that must come back unchanged',
        async call(_, io) {
            if (io.state()) return says('The state is sound.');
            return io.need({ confirm: form('Please confirm', { ok: { type: 'boolean' } }) }, { round: 1 });
        }
    },
    test_input_required_result_capabilities: {
        description: 'Asks only for what the client can do',
        async call(_, io) {
            if (Object.keys(io.inputs).length > 0) return says('Answered.');
            const requests = {};
            if (io.clientCan('elicitation')) requests.user_name = NAME;
            if (io.clientCan('sampling')) requests.greeting = sample('Generate a greeting', 50);
            return Object.keys(requests).length > 0 ? io.need(requests) : says('Nothing can be asked.');
        }
    }
};

/** The same for a prompt. */
export const inputRequiredPrompt = {
    description: 'Needs a context',
    get(_, io) {
        const context = accepted(io.inputs.user_context, 'context');
        if (context === undefined) {
            const request = form('What context should the prompt use?', { context: { type: 'string' } });
            return io.need({ user_context: request });
        }
        return { messages: [{ role: 'user', content: text(`Context: ${context}`) }] };
    }
};
