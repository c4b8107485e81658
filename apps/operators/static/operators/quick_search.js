"use strict";

// What Ctrl-K opens: unfold's search, for people who type and press Enter faster than the server answers.
function quickSearch() {
  const unfolds = searchCommand();
  return {
    ...unfolds,
    answered: null, // the text whose results are shown
    awaited: null, // the way to go when the results of what stands in the field are there
    handleOpen() {
      if (this.openCommandResults) return;
      unfolds.handleOpen.call(this);
      // Unfold shows the field and gives it the focus a moment later: letters typed by then would be lost.
      this.$root.style.removeProperty("display");
      this.$refs.searchInputCommand.focus();
    },
    handleEscape() {
      this.awaited = null;
      unfolds.handleEscape.call(this);
    },
    handleContentLoaded(event) {
      unfolds.handleContentLoaded.call(this, event);
      this.answered = event.detail.requestConfig.parameters.s;
      if (this.awaited && this.isAnswered()) this.go(this.awaited);
    },
    go(way) {
      if (this.isAnswered()) {
        this.awaited = null;
        this.currentIndex ||= 1;
        if (this.hasResults) this.selectItem(false, way.inNewTab);
      } else {
        if (!this.awaited || !this.isAsking()) htmx.trigger(this.$refs.searchInputCommand, "answer");
        this.awaited = way;
      }
    },
    // Where the last answer was an error, nothing is awaited any more: Enter asks again.
    isAsking() {
      return document.getElementById("command-submit").classList.contains("htmx-request");
    },
    // Whether the results that are shown are those of what stands in the field, and not of what stood there before.
    isAnswered() {
      return this.answered === this.$refs.searchInputCommand.value;
    },
  };
}
