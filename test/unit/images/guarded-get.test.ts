import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GuardedGet } from '../../../src/images/guarded-get.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { causeOf, configFor, guardedFor } from './harness.ts';

let registry: FakeRegistry;
beforeAll(async () => {
  registry = await startFakeRegistry();
});
afterAll(() => registry.close());
beforeEach(() => {
  registry.reset();
  registry.behave((_arrived, response) => {
    response.end('hello');
    return true;
  });
});

const request = () =>
  ({ method: 'GET', headers: {}, maxBytes: 1_000, signal: AbortSignal.timeout(10_000) }) as const;
const url = (host: string, path = '/') => new URL(`https://${host}:${registry.port}${path}`);

async function textOf(guarded: GuardedGet, at: URL): Promise<string> {
  try {
    return (await guarded.get(at, request())).body.toString();
  } finally {
    guarded.close();
  }
}

describe('createGuardedGet', () => {
  it('gets what a host that is listed has', async () => {
    expect(await textOf(guardedFor(configFor(registry)), url('registry.test'))).toBe('hello');
  });

  it.each([
    ['loopback', ['127.0.0.1']],
    ['loopback of IPv6', ['::1']],
    ['loopback, mapped', ['::ffff:127.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['private ones', ['10.0.0.1', '192.168.0.1', 'fd00::1']],
    ['none', []],
  ])('does not connect to a name that stands for %s', async (_title, addresses) => {
    const guarded = guardedFor(configFor(registry, {}), { 'other.test': addresses });
    expect(await causeOf(textOf(guarded, url('other.test')))).toBe('address-not-allowed');
    expect(registry.arrived).toEqual([]);
  });

  it.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '017700000001', '1.1.1.1'])(
    'does not take the address %s for a name',
    async (host) => {
      expect(await causeOf(textOf(guardedFor(configFor(registry)), url(host)))).toBe('address-not-allowed');
      expect(registry.arrived).toEqual([]);
    },
  );

  it('takes an address that is listed', async () => {
    const config = configFor(registry, {}, { [`127.0.0.1:${registry.port}`]: { privateAddress: true } });
    expect(await textOf(guardedFor(config), url('127.0.0.1'))).toBe('hello');
  });

  it('refuses another port of a listed host', async () => {
    const config = configFor(registry, {}, { 'other.test': { privateAddress: true } });
    expect(await causeOf(textOf(guardedFor(config), url('other.test')))).toBe('address-not-allowed');
  });

  it('refuses plain HTTP', async () => {
    const at = new URL(`http://registry.test:${registry.port}/`);
    expect(await causeOf(textOf(guardedFor(configFor(registry)), at))).toBe('http-not-allowed');
  });

  it.each(['file:///etc/passwd', 'ftp://registry.test/', 'data:,x'])('refuses %s', async (text) => {
    expect(await causeOf(textOf(guardedFor(configFor(registry)), new URL(text)))).toBe('bad-answer');
  });

  it('does not trust a certificate of an unknown authority', async () => {
    const config = { ...configFor(registry), ca: undefined };
    expect(await causeOf(textOf(guardedFor(config), url('registry.test')))).toBe('untrusted-certificate');
    expect(registry.arrived).toEqual([]);
  });

  it('does not trust a certificate for another name', async () => {
    const config = configFor(registry, {}, { [`unnamed.test:${registry.port}`]: { privateAddress: true } });
    expect(await causeOf(textOf(guardedFor(config), url('unnamed.test')))).toBe('untrusted-certificate');
  });

  it('trusts an authority of one host for that host only', async () => {
    const config = {
      ...configFor(
        registry,
        {},
        {
          [`other.test:${registry.port}`]: { privateAddress: true },
          [`registry.test:${registry.port}`]: { privateAddress: true, ca: registry.ca },
        },
      ),
      ca: undefined,
    };
    expect(await textOf(guardedFor(config), url('registry.test'))).toBe('hello');
    expect(await causeOf(textOf(guardedFor(config), url('other.test')))).toBe('untrusted-certificate');
  });

  it('takes any certificate where that is listed', async () => {
    const hosts = { [`unnamed.test:${registry.port}`]: { privateAddress: true, skipTlsVerify: true } };
    const config = { ...configFor(registry, {}, hosts), ca: undefined };
    expect(await textOf(guardedFor(config), url('unnamed.test'))).toBe('hello');
  });

  it.each(['with', 'without'])('stops at an answer that is too large, %s a length', async (length) => {
    registry.behave((_arrived, response) => {
      if (length === 'with') response.setHeader('content-length', 2_000);
      response.write('x'.repeat(1_500));
      response.end('x'.repeat(500));
      return true;
    });
    expect(await causeOf(textOf(guardedFor(configFor(registry)), url('registry.test')))).toBe('too-large');
  });

  it('refuses an answer that is compressed, which could grow', async () => {
    registry.behave((_arrived, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end('x');
      return true;
    });
    expect(await causeOf(textOf(guardedFor(configFor(registry)), url('registry.test')))).toBe('bad-answer');
  });

  it('refuses what is no HTTP', async () => {
    registry.behave((_arrived, response) => {
      response.socket?.end('SSH-2.0-OpenSSH_9\r\n');
      return true;
    });
    expect(await causeOf(textOf(guardedFor(configFor(registry)), url('registry.test')))).toBe('bad-answer');
  });

  it.each([
    ['nothing', () => {}],
    [
      'a byte now and then',
      (write: (text: string) => void) => void setInterval(() => write('x'), 10).unref(),
    ],
  ])('gives up in time where there comes %s', async (_title, drip) => {
    registry.behave((_arrived, response) => {
      if (_title !== 'nothing') response.write('x');
      drip((text) => response.write(text));
      return true;
    });
    const guarded = guardedFor(configFor(registry));
    const signal = AbortSignal.timeout(100);
    expect(await causeOf(guarded.get(url('registry.test'), { ...request(), signal }))).toBe('timeout');
    guarded.close();
  });

  it('does not read the body of an error', async () => {
    registry.behave((_arrived, response) => {
      response.writeHead(500).write('secret '.repeat(1_000));
      return true;
    });
    const guarded = guardedFor(configFor(registry));
    const answer = await guarded.get(url('registry.test'), request());
    expect([answer.status, answer.body.length]).toEqual([500, 0]);
    guarded.close();
  });

  it('asks again where a connection that was kept has ended', async () => {
    const guarded = guardedFor(configFor(registry));
    expect((await guarded.get(url('registry.test'), request())).body.toString()).toBe('hello');
    registry.behave((_arrived, response) => {
      if (registry.arrived.length === 2) response.socket?.destroy();
      else response.end('hello again');
      return true;
    });
    expect((await guarded.get(url('registry.test'), request())).body.toString()).toBe('hello again');
    expect(registry.arrived).toHaveLength(3);
    guarded.close();
  });

  it('does not ask again on a new connection', async () => {
    registry.behave((_arrived, response) => {
      response.socket?.destroy();
      return true;
    });
    expect(await causeOf(textOf(guardedFor(configFor(registry)), url('registry.test')))).toBe('unreachable');
    expect(registry.arrived).toHaveLength(1);
  });

  it('says that nobody is there', async () => {
    const config = configFor(registry, {}, { '*.test': { privateAddress: true } });
    expect(await causeOf(textOf(guardedFor(config), new URL('https://registry.test:1/')))).toBe(
      'address-not-allowed',
    );
    const listed = configFor(registry, {}, { 'registry.test:1': { privateAddress: true } });
    expect(await causeOf(textOf(guardedFor(listed), new URL('https://registry.test:1/')))).toBe(
      'unreachable',
    );
  });
});
