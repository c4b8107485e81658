// Moments in the reader's own time zone: the server does not know it, and says UTC.
// In the page's language, with the habits of the reader's country where the browser knows it.
const language = document.documentElement.lang;
const spoken = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
const words = new Intl.DateTimeFormat(spoken, { dateStyle: "medium", timeStyle: "short" });
for (const moment of document.querySelectorAll("time[data-moment]")) {
  moment.title = moment.textContent;
  moment.textContent = words.format(new Date(moment.dateTime));
}
