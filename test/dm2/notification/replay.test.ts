import { describe, expect, it } from 'vitest';
import {
  buildNotification,
  checkReplay,
  NO_NOTIFICATIONS,
  type NotificationToWrite,
  parseNotification,
  type ReplayState,
  type ReplayWindow,
} from '../../../src/dm2/notification/index.ts';

const NOW = 1_700_000_000;

function receive(state: ReplayState, now: number, what: Partial<NotificationToWrite>, window?: ReplayWindow) {
  const bytes = buildNotification({ serverId: 'dms1', ...what });
  return checkReplay(parseNotification(bytes), bytes, state, now, window);
}

describe('a notification', () => {
  it('is fresh once and a duplicate from then on, without changing the state given [IW-NOT-2]', () => {
    const first = receive(NO_NOTIFICATIONS, NOW, { notificationId: 1, timestamp: NOW });
    expect(first.verdict).toBe('fresh');
    expect(NO_NOTIFICATIONS.seen).toEqual([]);
    expect(receive(first.state, NOW + 1, { notificationId: 1, timestamp: NOW })).toEqual({
      verdict: 'duplicate',
      state: first.state,
    });
    // Sent again at another time, it is still the same one.
    expect(receive(first.state, NOW + 1, { notificationId: 1, timestamp: NOW + 1 }).verdict).toBe(
      'duplicate',
    );
  });

  it('is told from others by its server and its id', () => {
    const { state } = receive(NO_NOTIFICATIONS, NOW, { notificationId: 1, timestamp: NOW });
    expect(receive(state, NOW, { notificationId: 2, timestamp: NOW }).verdict).toBe('fresh');
    expect(receive(state, NOW, { notificationId: 1, timestamp: NOW, serverId: 'dms2' }).verdict).toBe(
      'fresh',
    );
  });

  it('without an id is told by its bytes', () => {
    const { state } = receive(NO_NOTIFICATIONS, NOW, { timestamp: NOW });
    expect(receive(state, NOW, { timestamp: NOW }).verdict).toBe('duplicate');
    expect(receive(state, NOW, { timestamp: NOW + 1 }).verdict).toBe('fresh');
  });

  it.each([
    [NOW - 300, 'fresh'],
    [NOW - 301, 'stale'],
    [NOW + 60, 'fresh'],
    [NOW + 61, 'early'],
  ])('sent at %i and received at 1700000000 is %s', (timestamp, verdict) => {
    expect(receive(NO_NOTIFICATIONS, NOW, { notificationId: 1, timestamp }).verdict).toBe(verdict);
  });

  it('is never fresh twice, whenever it is replayed', () => {
    const window = { past: 10, future: 5 };
    for (const timestamp of [NOW - 10, NOW, NOW + 5]) {
      let { state } = receive(NO_NOTIFICATIONS, NOW, { notificationId: 1, timestamp }, window);
      for (let now = NOW; now < NOW + 30; now++) {
        const again = receive(state, now, { notificationId: 1, timestamp }, window);
        expect(['duplicate', 'stale']).toContain(again.verdict);
        state = again.state;
      }
      expect(state.seen).toEqual([]);
    }
  });

  it('without a timestamp is remembered for a while', () => {
    const window = { remember: 100 };
    const { state } = receive(NO_NOTIFICATIONS, NOW, { notificationId: 1 }, window);
    expect(receive(state, NOW + 100, { notificationId: 1 }, window).verdict).toBe('duplicate');
    expect(receive(state, NOW + 101, { notificationId: 1 }, window).verdict).toBe('fresh');
  });

  it('is refused rather than another one forgotten where too many came', () => {
    let state = NO_NOTIFICATIONS;
    for (let notificationId = 0; notificationId < 3; notificationId++) {
      ({ state } = receive(state, NOW, { notificationId, timestamp: NOW }, { most: 3 }));
    }
    expect(receive(state, NOW, { notificationId: 9, timestamp: NOW }, { most: 3 })).toEqual({
      verdict: 'overflow',
      state,
    });
    expect(
      receive(state, NOW + 400, { notificationId: 9, timestamp: NOW + 400 }, { most: 3 }).state.seen,
    ).toHaveLength(1);
  });
});
