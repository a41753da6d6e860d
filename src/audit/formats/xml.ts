const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for XML and HTML, in content and in quoted attributes; it must have gone through `escapeText`. */
export function markup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
