/** What the page says before the server does: long enough, and not the account's own name. */
export const MIN_PASSWORD = 10;
export function passwordFault(password: string, again: string, name = ''): 'short' | 'name' | 'differs' | null {
  if (Array.from(password).length < MIN_PASSWORD) return 'short';
  if (name && password.toLowerCase().includes(name.toLowerCase())) return 'name';
  if (password !== again) return 'differs';
  return null;
}
