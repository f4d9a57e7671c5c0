import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';

/**
 * Writes dist/sw.js: the small worker of src/sw/sw.js with the list of built files in it.
 * Large parts that a page opens only on demand (the map) are left out; they are kept after first use.
 */
export function serviceWorker(): Plugin {
  return {
    name: 'gezhi-service-worker',
    apply: 'build',
    // Last of all: chunks that hold nothing but styles are dropped on the way, and one name too many breaks the worker.
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const files = Object.keys(bundle).filter(
          (f) => /\.(js|css|woff2|svg)$/.test(f) && !/maplibre|MapView|noto|\/map-/.test(f),
        );
        const list = ['/', ...files.sort().map((f) => '/' + f)];
        const source = readFileSync(resolve(import.meta.dirname, '../src/sw/sw.js'), 'utf8');
        const version = createHash('sha256').update(list.join('\n')).update(source).digest('hex').slice(0, 16);
        this.emitFile({
          type: 'asset',
          fileName: 'sw.js',
          source: source.replace('__VERSION__', version).replace('"__FILES__"', JSON.stringify(list)),
        });
      },
    },
  };
}
