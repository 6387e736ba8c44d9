//! Storefronts of CS-Cart and vendors of Multi-Vendor: `/api/stores`, `/api/vendors` (the documentation,
//! `developer_guide/api/entities/stores.rst` and `vendors.rst`).
//!
//! Both are companies inside, and neither edition has both. Their lists come without page numbers (`"params": [0]`).

use jiff::Timestamp;

use crate::{
    CompanyId, Edition, loose,
    record::{entity, record},
};

record! {
    /// A storefront.
    Storefront {
        /// Its id.
        company_id: Option<CompanyId> = "loose::opt_id",
        /// Its name.
        company: Option<String> = "loose::opt_string",
        /// Its e-mail address.
        email: Option<String> = "loose::opt_string",
        /// Its language, two letters.
        lang_code: Option<String> = "loose::opt_string",
        /// `A` active, `D` disabled.
        status: Option<String> = "loose::opt_string",
        /// Its address without a scheme.
        storefront: Option<String> = "loose::opt_string",
        /// The same for HTTPS.
        secure_storefront: Option<String> = "loose::opt_string",
        /// When it was made.
        timestamp: Option<Timestamp> = "loose::opt_time",
    }
}

entity!(Storefront, company_id: CompanyId, "stores", "storefronts", Edition::Ultimate);

record! {
    /// A vendor.
    Vendor {
        /// Its id.
        company_id: Option<CompanyId> = "loose::opt_id",
        /// Its name.
        company: Option<String> = "loose::opt_string",
        /// Its e-mail address.
        email: Option<String> = "loose::opt_string",
        /// Its phone number; only for a single one.
        phone: Option<String> = "loose::opt_string",
        /// Its language, two letters.
        lang_code: Option<String> = "loose::opt_string",
        /// `N` new, `A` active, `P` pending, `D` disabled.
        status: Option<String> = "loose::opt_string",
        /// When it was made.
        timestamp: Option<Timestamp> = "loose::opt_time",
    }
}

entity!(Vendor, company_id: CompanyId, "vendors", "vendors", Edition::MultiVendor);
