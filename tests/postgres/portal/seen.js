// What only a browser sees of WCAG 2.2 AA: words too pale for their ground, targets too small for a finger, and
// anything wider than the window. Gives each fault as a sentence.
() => {
  const faults = [];
  const rgb = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
  const shade = ({ r, g, b }) => [r, g, b].map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = rgb(getComputedStyle(each).backgroundColor);
      if (colour.a > 0) { return colour; }
    }
    return { r: 255, g: 255, b: 255 };
  };
  const said = (node) => `${node.tagName} ${(node.textContent || node.name || "").trim().slice(0, 20)}`;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || seen.has(node) || !node.getClientRects().length) { continue; }
    seen.add(node);
    if (node.closest("svg")) { continue; }
    const style = getComputedStyle(node), [light, dark] = [shade(rgb(style.color)), shade(ground(node))].sort().reverse();
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if ((light + 0.05) / (dark + 0.05) < (large ? 3 : 4.5)) { faults.push(`1.4.3 too pale: ${said(node)}`); }
  }
  for (const node of document.querySelectorAll("button, input:not([type=hidden]), select, nav a, .button, .figures a")) {
    const box = node.getBoundingClientRect();
    const least = node.matches("[type=checkbox], [type=radio], .plain") ? 13 : 24;
    if (box.width && (box.height < least || box.width < least)) { faults.push(`2.5.8 too small: ${said(node)}`); }
  }
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) { faults.push(`1.4.10 ${wide} wide in a window of ${innerWidth}`); }
  return faults;
}
