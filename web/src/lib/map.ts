/** The map: MapLibre with our own tiles, our own font, no other host. Loaded only when a map is opened. */
import * as maplibre from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import fontUrl from '@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff2?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { City } from './types';

maplibre.setWorkerUrl(new URL(workerUrl, location.href).href);

export { maplibre };
export type { Map as MapLibreMap, GeoJSONSource, VectorTileSource } from 'maplibre-gl';

interface Look {
  ground: string;
  land: string;
  empty: string;
  water: string;
  park: string;
  street: string;
  casing: string;
  major: string;
  text: string;
  halo: string;
  cell: string;
  area: string;
}
const LOOKS: Record<'day' | 'wall', Look> = {
  day: { ground: '#e7e9ea', land: '#f7f5f0', empty: '#c8241c', water: '#b9d7ea', park: '#d3e7c8', street: '#ffffff', casing: '#d5d0c6', major: '#ffe6ad', text: '#33404e', halo: '#ffffff', cell: '#7c8ea3', area: '#0f4c81' },
  wall: { ground: '#0a121b', land: '#101c29', empty: '#ff6257', water: '#12314a', park: '#14291f', street: '#25354a', casing: '#16212e', major: '#3f5570', text: '#c6d3e2', halo: '#0b131d', cell: '#4d6480', area: '#8cc2f5' },
};
export const LIGHT_COLOURS = {
  day: { green: '#1b7f4b', yellow: '#d18a00', red: '#c8241c', none: '#44566c' },
  wall: { green: '#4fd08a', yellow: '#ffc23d', red: '#ff6257', none: '#a9bbcf' },
};

const FONT = ['Noto Sans'];
/** Street classes drawn broad. */
const MAJOR = ['motorway', 'trunk', 'primary', 'secondary'];

function tiles(path: string): string {
  return location.origin + path;
}

/** The style: base map of the city (if it has one), then, for staff, cells and areas. */
export function mapStyle(o: { basemap: boolean; cells: boolean; wall: boolean; locale: string }): maplibre.StyleSpecification {
  const look = LOOKS[o.wall ? 'wall' : 'day'];
  const name: maplibre.ExpressionSpecification =
    o.locale === 'en' ? ['coalesce', ['get', 'name_en'], ['get', 'name_zh'], ''] : ['coalesce', ['get', 'name_zh'], ['get', 'name_en'], ''];
  const sources: maplibre.StyleSpecification['sources'] = {};
  const layers: maplibre.LayerSpecification[] = [{ id: 'ground', type: 'background', paint: { 'background-color': o.cells ? look.ground : look.land } }];
  if (o.cells) {
    sources['cells'] = { type: 'vector', tiles: [tiles('/tiles/cells/{z}/{x}/{y}.mvt')], minzoom: 0, maxzoom: 15 };
    layers.push({ id: 'land', type: 'fill', source: 'cells', 'source-layer': 'areas', paint: { 'fill-color': look.land, 'fill-antialias': false } });
  }
  if (o.basemap) {
    sources['base'] = { type: 'vector', tiles: [tiles('/basemap/city/{z}/{x}/{y}')], minzoom: 0, maxzoom: 15 };
    const width = (a: number, b: number): maplibre.ExpressionSpecification => [
      'interpolate', ['exponential', 1.5], ['zoom'],
      10, ['match', ['get', 'class'], MAJOR, a, 'tertiary', a * 0.7, a * 0.4],
      14, ['match', ['get', 'class'], MAJOR, a + 4, 'tertiary', a + 2.4, a + 0.8],
      17, ['match', ['get', 'class'], MAJOR, b, 'tertiary', b * 0.8, b * 0.55],
    ];
    layers.push(
      { id: 'park', type: 'fill', source: 'base', 'source-layer': 'park', paint: { 'fill-color': look.park } },
      { id: 'water', type: 'fill', source: 'base', 'source-layer': 'water', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': look.water } },
      { id: 'water-line', type: 'line', source: 'base', 'source-layer': 'water', filter: ['==', ['geometry-type'], 'LineString'], paint: { 'line-color': look.water, 'line-width': ['interpolate', ['linear'], ['zoom'], 9, 1, 16, 10] } },
      { id: 'street-casing', type: 'line', source: 'base', 'source-layer': 'street', minzoom: 12, layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': look.casing, 'line-width': width(2.4, 19) } },
      { id: 'street', type: 'line', source: 'base', 'source-layer': 'street', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': ['match', ['get', 'class'], MAJOR, look.major, look.street], 'line-width': width(1.6, 15) } },
    );
  }
  if (o.cells) {
    layers.push(
      { id: 'cell-empty', type: 'fill', source: 'cells', 'source-layer': 'cells', filter: ['==', ['get', 'on_duty'], false], paint: { 'fill-color': look.empty, 'fill-opacity': 0.12 } },
      { id: 'cell-line', type: 'line', source: 'cells', 'source-layer': 'cells', minzoom: 11.5, paint: { 'line-color': look.cell, 'line-width': ['interpolate', ['linear'], ['zoom'], 11.5, 0.4, 16, 1.6], 'line-opacity': 0.75 } },
      { id: 'area-line', type: 'line', source: 'cells', 'source-layer': 'areas', paint: { 'line-color': look.area, 'line-width': ['interpolate', ['linear'], ['zoom'], 8, ['match', ['get', 'level'], [0, 1, 2], 1.2, 3, 0.6, 0.3], 15, ['match', ['get', 'level'], [0, 1, 2], 3, 3, 2, 1.4]], 'line-opacity': ['match', ['get', 'level'], [0, 1, 2], 0.75, 0.45] } },
    );
  }
  if (o.basemap) {
    layers.push(
      { id: 'street-name', type: 'symbol', source: 'base', 'source-layer': 'street', minzoom: 13, layout: { 'symbol-placement': 'line', 'text-field': name, 'text-font': FONT, 'text-size': 12 }, paint: { 'text-color': look.text, 'text-halo-color': look.halo, 'text-halo-width': 1.4 } },
      { id: 'place-name', type: 'symbol', source: 'base', 'source-layer': 'place', layout: { 'text-field': name, 'text-font': FONT, 'text-size': ['interpolate', ['linear'], ['zoom'], 8, 12, 14, 16], 'text-max-width': 8 }, paint: { 'text-color': look.text, 'text-halo-color': look.halo, 'text-halo-width': 1.6 } },
    );
  }
  if (o.cells) {
    layers.push({ id: 'cell-name', type: 'symbol', source: 'cells', 'source-layer': 'cells', minzoom: 15, layout: { 'text-field': ['coalesce', ['get', 'name'], ['get', 'code'], ''], 'text-font': FONT, 'text-size': 11, 'text-max-width': 6 }, paint: { 'text-color': look.text, 'text-halo-color': look.halo, 'text-halo-width': 1.4 } });
  }
  return { version: 8, sources, layers, 'font-faces': { 'Noto Sans': new URL(fontUrl, location.href).href } } as maplibre.StyleSpecification;
}

export interface MapOptions {
  container: HTMLElement;
  city: City | null;
  locale: string;
  cells?: boolean;
  wall?: boolean;
  /** What is shown at first; else around the centre, else the whole city. */
  bounds?: [number, number, number, number];
  centre?: [number, number];
  zoom?: number;
  texts: Record<string, string>;
}
export function makeMap(o: MapOptions): maplibre.Map {
  const city = o.city;
  const map = new maplibre.Map({
    container: o.container,
    style: mapStyle({ basemap: city?.basemap ?? false, cells: o.cells ?? false, wall: o.wall ?? false, locale: o.locale }),
    localIdeographFontFamily: "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC',sans-serif",
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    maxPitch: 0,
    maxZoom: 19,
    locale: o.texts,
    ...(o.bounds
      ? { bounds: o.bounds, fitBoundsOptions: { padding: 30, maxZoom: 16 } }
      : o.centre
      ? { center: o.centre, zoom: o.zoom ?? 16 }
      : city?.bbox
        ? { bounds: city.bbox, fitBoundsOptions: { padding: 20 } }
        : { center: [0, 0] as [number, number], zoom: 1 }),
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), 'top-right');
  showWhole(map);
  return map;
}

/** While the tiles of the first view come in one by one a map looks narrower than its box: it is shown when it is whole, or when it takes long. */
const LONG_MS = 2500;
function showWhole(map: maplibre.Map): void {
  const canvas = map.getCanvas();
  canvas.style.visibility = 'hidden';
  const show = (): void => {
    clearTimeout(late);
    canvas.style.visibility = '';
  };
  const late = setTimeout(show, LONG_MS);
  map.once('load', show);
}
