// Tools of the conformance suite that ask the client something in the middle of a call, as revisions up to 2025-11-25 do.

import { says, text } from './content.js';

const answered = ({ action, content }) => says(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`);
const choices = (...names) => names.map(([value, title]) => ({ const: value, title }));

export const askingTools = {
    test_sampling: {
        description: 'Asks for a sample',
        inputSchema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
        async call({ prompt }, io) {
            const messages = [{ role: 'user', content: text(prompt) }];
            const { content } = await io.ask('sampling/createMessage', { messages, maxTokens: 100 });
            return says(`LLM response: ${content.text}`);
        }
    },
    test_elicitation: {
        description: 'Asks the user something',
        inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
        async call({ message }, io) {
            const { action, content } = await io.ask('elicitation/create', {
                message,
                requestedSchema: {
                    type: 'object',
                    properties: {
                        username: { type: 'string', description: "User's response" },
                        email: { type: 'string', description: "User's email address" }
                    },
                    required: ['username', 'email']
                }
            });
            return says(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`);
        }
    },
    test_elicitation_sep1034_defaults: {
        description: 'Asks with a default for each type',
        async call(_, io) {
            const properties = {
                name: { type: 'string', default: 'John Doe' },
                age: { type: 'integer', default: 30 },
                score: { type: 'number', default: 95.5 },
                status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
                verified: { type: 'boolean', default: true }
            };
            const requestedSchema = { type: 'object', properties };
            return answered(await io.ask('elicitation/create', { message: 'Review the defaults', requestedSchema }));
        }
    },
    test_elicitation_sep1330_enums: {
        description: 'Asks with each form of choice',
        async call(_, io) {
            const values = choices(['value1', 'First Option'], ['value2', 'Second Option'], ['value3', 'Third Option']);
            const many = choices(['value1', 'First Choice'], ['value2', 'Second Choice'], ['value3', 'Third Choice']);
            const plain = ['option1', 'option2', 'option3'];
            const properties = {
                untitledSingle: { type: 'string', enum: plain },
                titledSingle: { type: 'string', oneOf: values },
                legacyEnum: {
                    type: 'string',
                    enum: ['opt1', 'opt2', 'opt3'],
                    enumNames: ['Option One', 'Option Two', 'Option Three']
                },
                untitledMulti: { type: 'array', items: { type: 'string', enum: plain } },
                titledMulti: { type: 'array', items: { anyOf: many } }
            };
            const requestedSchema = { type: 'object', properties };
            return answered(await io.ask('elicitation/create', { message: 'Choose', requestedSchema }));
        }
    }
};
