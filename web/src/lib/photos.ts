/** Photos are made smaller on the phone before they are sent: cheaper for the sender, and place and time in them stay behind. */

export const MAX_PHOTOS = 6;
export const MAX_BYTES = 20 * 1024 * 1024;
const LONG_SIDE = 2048;
const TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/heic', 'image/heif'];

export type PhotoFault = 'type' | 'size';

export function photoFault(file: { type: string; size: number; name?: string }): PhotoFault | null {
  const named = /\.(jpe?g|png|webp|hei[cf])$/i.test(file.name ?? '');
  if (!TYPES.includes(file.type) && !(file.type === '' && named)) return 'type';
  if (file.size > MAX_BYTES) return 'size';
  return null;
}

/** Width and height after fitting into the long side; never larger than before. */
export function fitted(width: number, height: number, side = LONG_SIDE): { width: number; height: number } {
  const k = Math.min(1, side / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * k)), height: Math.max(1, Math.round(height * k)) };
}

function load(file: Blob): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const url = URL.createObjectURL(file);
    const img = new Image();
    img.onload = () => {
      URL.revokeObjectURL(url);
      resolve(img);
    };
    img.onerror = () => {
      URL.revokeObjectURL(url);
      reject(new Error('not shown'));
    };
    img.src = url;
  });
}

/** A JPEG within the long side; the file itself where the browser cannot show it (HEIC on most). */
export async function shrink(file: Blob): Promise<Blob> {
  let img: HTMLImageElement;
  try {
    img = await load(file);
  } catch {
    return file;
  }
  const { width, height } = fitted(img.naturalWidth, img.naturalHeight);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const g = canvas.getContext('2d');
  if (!g) return file;
  g.drawImage(img, 0, 0, width, height);
  const small = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.85));
  return small && (small.size < file.size || file.type !== 'image/jpeg') ? small : file;
}
