//! A map from ids that a host counts up. The newest come and go at its end, where that moves next to nothing, and what
//! stays for long gathers at its front.

/// Values by id, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ById<T>(Vec<(u32, T)>);

impl<T> ById<T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Puts `value` under `id`. Tells whether nothing stood there; what stood there goes.
    pub(crate) fn insert(&mut self, id: u32, value: T) -> bool {
        match self.place(id) {
            Ok(place) => {
                if let Some(standing) = self.0.get_mut(place) {
                    standing.1 = value;
                }
                false
            }
            Err(place) => {
                self.0.insert(place, (id, value));
                true
            }
        }
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let place = self.place(id).ok()?;
        Some(self.0.remove(place).1)
    }

    /// The value with the lowest id.
    pub(crate) fn first(&self) -> Option<&T> {
        self.0.first().map(|(_, value)| value)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        self.0.iter_mut().map(|(id, value)| (*id, value))
    }

    /// Takes out what `is_out` is true of.
    pub(crate) fn take_if(
        &mut self,
        is_out: impl Fn(&T) -> bool,
    ) -> impl Iterator<Item = (u32, T)> {
        self.0.extract_if(.., move |(_, value)| is_out(value))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> IntoIterator for ById<T> {
    type Item = (u32, T);
    type IntoIter = std::vec::IntoIter<(u32, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T> ById<T> {
    fn place(&self, id: u32) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if *last < id => Err(self.0.len()),
            _ => self.0.binary_search_by_key(&id, |(id, _)| *id),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::ById;

    proptest! {
        #[test]
        fn it_holds_what_a_sorted_map_holds(
            steps in prop::collection::vec((0..40_u32, any::<bool>(), any::<u8>()), 0..200),
        ) {
            let (mut ours, mut model) = (ById::new(), BTreeMap::new());
            for (id, puts, value) in steps {
                if puts {
                    prop_assert_eq!(ours.insert(id, value), model.insert(id, value).is_none());
                } else {
                    prop_assert_eq!(ours.remove(id), model.remove(&id));
                }
                prop_assert_eq!(ours.len(), model.len());
                prop_assert_eq!(ours.first(), model.values().next());
            }
            let small = |value: &u8| *value < 100;
            let taken: Vec<_> = ours.take_if(small).collect();
            let left = model.split_off(&0);
            let (out, left): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, value)| small(value));
            prop_assert_eq!(taken, out);
            prop_assert_eq!(ours.into_iter().collect::<Vec<_>>(), left);
        }
    }
}
