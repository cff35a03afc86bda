// What has been sent on resumable streams, in memory: one session's, so it ends with the session.

export class EventStore {
    #events = [];

    async storeEvent(streamId, message) {
        this.#events.push({ streamId, message });
        return `${this.#events.length}`;
    }

    async getStreamIdForEventId(eventId) {
        return this.#events[Number(eventId) - 1]?.streamId;
    }

    async replayEventsAfter(lastEventId, { send }) {
        const streamId = await this.getStreamIdForEventId(lastEventId);
        for (let index = Number(lastEventId); index < this.#events.length; index += 1) {
            const event = this.#events[index];
            if (event.streamId === streamId) await send(`${index + 1}`, event.message);
        }
        return streamId;
    }
}
