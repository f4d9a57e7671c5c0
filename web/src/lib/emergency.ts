/** Telephone numbers of the emergency services, by the time zone of the city. */
export interface EmergencyNumber {
  number: string;
  /** Key of the text that says who answers. */
  who: string;
}
export function emergencyNumbers(zone: string | undefined): EmergencyNumber[] {
  if (zone && /^America\/|^US\/|^Canada\//.test(zone)) return [{ number: '911', who: 'danger.all' }];
  if (zone && /^Europe\//.test(zone)) return [{ number: '112', who: 'danger.all' }];
  return [
    { number: '110', who: 'danger.police' },
    { number: '119', who: 'danger.fire' },
    { number: '120', who: 'danger.ambulance' },
  ];
}
