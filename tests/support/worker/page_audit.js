// In the page: every shown text with its contrast to what is behind it, computed as WCAG 2 does.
() => {
  const parse = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    return { channels: [red, green, blue], alpha };
  };
  const over = (top, below) => top.channels.map((value, i) => value * top.alpha + below[i] * (1 - top.alpha));
  const chain = (element) => (element ? [...chain(element.parentElement), element] : []);
  const ground = (element) =>
    chain(element).reduce((below, each) => over(parse(getComputedStyle(each).backgroundColor), below), [255, 255, 255]);
  const luminance = (channels) => {
    const [red, green, blue] = channels.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ownText = (element) =>
    element.matches("textarea, select, input:not([type=range])")
      ? element.value || element.placeholder
      : [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data).join("");
  const measure = (element) => ({
    text: String(ownText(element)).trim().slice(0, 40),
    contrast: contrast(over(parse(getComputedStyle(element).color), ground(element)), ground(element)),
  });
  const shown = [...document.querySelectorAll("body *")].filter(
    (element) => element.checkVisibility() && !element.disabled && !element.closest(".visually-hidden"),
  );
  return shown.map(measure).filter(({ text }) => text);
};
