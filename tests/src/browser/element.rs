//! Something that a page shows.

use fantoccini::elements;

use super::done;

/// An element that was shown when it was found.
#[derive(Debug, Clone)]
pub struct Element(elements::Element);

impl Element {
    pub(super) fn new(element: elements::Element) -> Self {
        Self(element)
    }

    /// Clicks on it.
    ///
    /// # Panics
    /// When something lies over it, or it is gone.
    pub async fn click(&self) {
        done(self.0.click().await, "clicking");
    }

    /// Types a text into it, in place of what is in it.
    ///
    /// # Panics
    /// When it takes none.
    pub async fn fill(&self, text: &str) {
        done(self.0.clear().await, "emptying a field");
        done(self.0.send_keys(text).await, "typing");
    }

    /// Chooses an option by its value.
    ///
    /// # Panics
    /// When there is none such.
    pub async fn choose(&self, value: &str) {
        done(self.0.select_by_value(value).await, "choosing");
    }

    /// The text that it shows.
    ///
    /// # Panics
    /// When it is gone.
    pub async fn text(&self) -> String {
        done(self.0.text().await, "reading a text")
    }

    /// An attribute.
    ///
    /// # Panics
    /// When it is gone.
    pub async fn attribute(&self, name: &str) -> Option<String> {
        done(self.0.attr(name).await, "reading an attribute")
    }

    /// A property, as in `value` of a field.
    ///
    /// # Panics
    /// When it is gone.
    pub async fn property(&self, name: &str) -> Option<String> {
        done(self.0.prop(name).await, "reading a property")
    }
}
