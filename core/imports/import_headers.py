"""The usual headers of imported files, as data: by which words a field of each kind is known."""

# Headers by which a field is known, without case, spaces and punctuation; earlier ones win.
KNOWN_AS: dict[str, dict[str, str]] = {
    "sales": {
        "document": """
            invoiceno invoice invoicenumber invoiceid orderid orderno ordernumber order documentno
            document documentnumber docno receiptno receiptnumber receipt transactionid transaction
            salesid saleid beleg belegnr belegnummer rechnung rechnungsnr rechnungsnummer bestellnr
            bestellnummer auftragsnr facture factura fattura""",
        "code": """
            stockcode sku itemcode itemno itemnumber itemid productcode productid productno
            articlecode articleno article partnumber partno code item product artikelnr artikelnummer
            artikel artnr reference referencia codice""",
        "description": """
            description productname itemname itemdescription productdescription name title bezeichnung
            artikelbezeichnung beschreibung designation descripcion descrizione""",
        "quantity": """
            quantity qty qtysold quantitysold units unitssold pieces pcs sold amountsold menge anzahl
            stueck stück quantite quantité cantidad quantita quantità""",
        "moment": """
            invoicedate orderdate saledate salesdate transactiondate documentdate soldat createdat
            datetime timestamp date day time datum belegdatum rechnungsdatum bestelldatum
            verkaufsdatum fecha data""",
        "unit_price": """
            unitprice priceeach priceperunit itemprice sellingprice saleprice price einzelpreis
            stueckpreis stückpreis preis prixunitaire prix precio prezzo""",
        "customer": """
            customerid customerno customernumber customercode customer clientid client accountno kunde
            kundennr kundennummer cliente""",
        "warehouse": """
            warehouse warehousecode location locationcode storeid store branch lager lagerort filiale
            magasin almacen""",
    },
    "stock": {
        "product": """
            sku stockcode itemcode itemno itemnumber productcode productno articlecode articleno
            article partnumber partno product code item artikelnr artikelnummer artikel artnr barcode ean
            gtin upc reference referencia codice""",
        "quantity": """
            quantity qty onhand quantityonhand qtyonhand stock instock stockonhand counted count units
            pieces pcs openingstock openingquantity menge anzahl bestand stueck stück quantite quantité
            cantidad quantita quantità""",
        "warehouse": """
            warehouse warehousecode warehousename location locationcode storeid store branch lager lagerort
            filiale magasin almacen""",
        "unit_cost": """
            unitcost cost costprice purchaseprice buyingprice einkaufspreis ek ekpreis kosten
            prixachat coste costo""",
        "name": """
            name productname itemname description title bezeichnung artikelbezeichnung designation
            descripcion descrizione""",
        "category": "category group productgroup family kategorie warengruppe gruppe categorie categoria",
    },
    "products": {
        "sku": """
            sku stockcode itemcode itemno itemnumber productcode productno articlecode articleno article
            partnumber partno code product item artikelnr artikelnummer artikel artnr reference referencia
            codice""",
        "name": """
            name productname itemname title bezeichnung artikelbezeichnung designation nombre nome""",
        "description": """
            description productdescription itemdescription longdescription details beschreibung
            descripcion descrizione""",
        "category": "category group productgroup family kategorie warengruppe gruppe categorie categoria",
        "unit_of_measure": "unitofmeasure uom unit einheit mengeneinheit unite unidad unita",
        "unit_cost": """
            unitcost cost costprice purchaseprice buyingprice einkaufspreis ek ekpreis kosten prixachat
            coste costo""",
        "unit_price": """
            unitprice price sellingprice saleprice salesprice retailprice verkaufspreis vk vkpreis preis
            prix precio prezzo""",
        "reorder_threshold": """
            reorderthreshold threshold reorderpoint reorderlevel minimumstock minstock minimum min
            meldebestand mindestbestand""",
        "lead_time_days": "leadtimedays leadtime lieferzeit lieferzeittage wiederbeschaffungszeit delai",
        "barcode": "barcode ean ean13 gtin upc upca eancode strichcode codebarres",
        "is_active": "isactive active status aktiv actif activo attivo",
    },
    "prices": {
        "sku": """
            sku oursku ourcode ourarticle ouritem yourarticle yourcode yoursku customersku customercode
            customerarticle stockcode itemcode itemno itemnumber productcode productno articlecode articleno
            article partnumber partno product code item artikelnr artikelnummer artikel artnr codice
            reference referencia""",
        "vendor_sku": """
            vendorsku vendorssku vendorcode vendorarticle vendoritem vendorpartnumber vendorno
            suppliersku supplierssku suppliercode supplierarticle supplieritem supplierpartnumber
            mpn manufacturerpartnumber lieferantenartikelnummer lieferantenartikelnr lieferantenartikel
            herstellernummer herstellernr""",
        "barcode": "barcode ean ean13 gtin upc upca eancode strichcode codebarres",
        "unit_price": """
            unitprice price priceeach priceperunit netprice netunitprice listprice cost unitcost costprice
            purchaseprice buyingprice einkaufspreis ek ekpreis nettopreis einzelpreis preis prixunitaire
            prixachat prix precio prezzo""",
        "price_unit": """
            priceunit priceper priceisfor per pricequantity pricingunit preiseinheit pe preisje""",
        "minimum_quantity": """
            fromquantity minimumquantity minquantity minqty from fromqty quantityfrom qtyfrom breakquantity
            pricebreak quantitybreak break quantity qty abmenge ab staffelmenge staffel menge apartirde""",
        "minimum_order_quantity": """
            minimumorder minimumorderquantity moq minorder minorderqty minimumorderqty mindestbestellmenge
            mindestmenge mbm""",
        "order_multiple": """
            ordermultiple multiple packsize pack packquantity packqty packingunit lotsize casesize
            verpackungseinheit ve vpe gebinde""",
        "lead_time_days": """
            leadtimedays leadtime deliverytime deliverydays lieferzeit lieferzeittage
            wiederbeschaffungszeit delai""",
        "valid_from": """
            validfrom validfromdate startdate effectivefrom effectivedate pricefrom gueltigab gültigab
            gueltigvon gültigvon""",
        "valid_until": """
            validuntil validto validtill enddate expires expirydate priceuntil gueltigbis gültigbis""",
        "currency": "currency currencycode curr waehrung währung devise moneda valuta",
        "vendor": "vendor vendorname supplier suppliername lieferant lieferantenname fournisseur proveedor",
    },
}  # fmt: skip
